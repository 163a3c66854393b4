"""`foreign_tenant_document`: a document of one tenant was retrieved for another."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import score_of

MAX_DOCUMENTS = 200

FOREIGN_DOCUMENT = Metric(
    name="foreign_tenant_document",
    family=Family.SAFETY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="cross_tenant_leak",
    description="1 when a retrieved document belongs to another tenant than the request, else 0.",
    harm=3,
)
SHARED = frozenset({"", "*", "all", "any", "shared", "public", "global", "common", "default", "none", "null"})


@dataclass(frozen=True)
class Tenancy:
    """Compares the tenant named in documents' metadata with that of the trace."""

    keys: tuple[str, ...] = ("tenant", "tenant_id", "tenant.id", "tenantId")
    name: str = "tenancy"
    version: str = "2"
    metrics: tuple[Metric, ...] = (FOREIGN_DOCUMENT,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per retrieval of a request that has a tenant; documents that name none belong to everybody."""
        own = {t.strip().lower() for t in trace.dimensions.get("tenant", ())}
        if not own:
            return ()
        scores = []
        for call in trace.calls:
            if not call.documents:
                continue
            owners = [self._owner(d.metadata) for d in call.documents[:MAX_DOCUMENTS]]
            foreign = [o for o in owners if o not in SHARED and o not in own]
            why = f"{len(foreign)} of {len(owners)} documents belong to {foreign[0][:60]}" if foreign else ""
            scores.append(score_of(self, call, FOREIGN_DOCUMENT, 1.0 if foreign else 0.0, why))
        return scores

    def _owner(self, metadata: dict[str, str]) -> str:
        for key in self.keys:
            if metadata.get(key):
                return str(metadata[key]).strip().lower()
        return ""
