"""What came back from the index: scores, emptiness, age and duplicates of documents."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from holdfast.core.call import Call, Kind
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.document_age import age_s
from holdfast.score.protocol import score_of
from holdfast.score.reading import reading_of

MAX_CALLS = 50
MAX_COMPARED = 30

DISSIMILARITY = Metric(
    name="retrieval_dissimilarity",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="poor_retrieval",
    description="1 - the best document's similarity, where the retriever's scores lie in [0, 1]; its distance where they ascend.",
    margin=1.15,
    harm=1,
)
SCORE = Metric(
    name="retrieval_score",
    family=Family.RETRIEVAL,
    unit=Unit.SIMILARITY,
    direction=Direction.BOTH,
    failure_mode="retrieval_score_change",
    description="The best document's score in the retriever's own scale; negative ones count as 0.",
    margin=1.15,
    harm=0,
)
EMPTY = Metric(
    name="empty_retrieval",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="empty_retrieval",
    description="1 when a retrieval brought no document, else 0.",
    harm=1,
)
STALE = Metric(
    name="stale_source",
    family=Family.RETRIEVAL,
    unit=Unit.SECONDS,
    direction=Direction.UP_IS_WORSE,
    failure_mode="stale_index",
    description="Median age of the retrieved documents, where they tell when they were last changed.",
    harm=2,
)
DUPLICATES = Metric(
    name="duplicate_documents",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="duplicate_flood",
    description="Share of retrieved documents that say nearly the same as one ranked above them.",
    harm=1,
)


@dataclass(frozen=True)
class Retrieval:
    """Looks at each retrieval call. `alike`: Jaccard similarity of words from which two documents are duplicates."""

    alike: float = 0.85
    name: str = "retrieval"
    version: str = "2"
    metrics: tuple[Metric, ...] = (DISSIMILARITY, SCORE, EMPTY, STALE, DUPLICATES)

    def score(self, trace: Trace) -> Iterable[Score]:
        """`empty_retrieval` for each retrieval call that did not fail; the others where the documents tell enough."""
        scores: list[Score] = []
        for call in [c for c in trace.calls if c.kind is Kind.RETRIEVAL or c.documents][:MAX_CALLS]:
            scores += self._of_call(trace, call)
        return scores

    def _of_call(self, trace: Trace, call: Call) -> Iterable[Score]:
        documents = call.documents
        if call.kind is Kind.RETRIEVAL and (documents or (call.status != "error" and not call.output_text.strip("[] \n"))):
            yield score_of(self, call, EMPTY, 0.0 if documents else 1.0, "" if documents else "no document found")
        ranked = [d.score for d in documents if d.score is not None and isfinite(d.score)]
        if ranked:
            yield score_of(self, call, SCORE, max(0.0, *ranked))
            if min(ranked) >= 0.0 and max(ranked) <= 1.0:
                ascending = len(ranked) > 1 and ranked[0] < ranked[-1] and ranked == sorted(ranked)
                yield score_of(self, call, DISSIMILARITY, ranked[0] if ascending else 1.0 - max(ranked))
        now = call.start_ns or call.end_ns
        ages = sorted([age for d in documents if (age := age_s(d, now)) is not None])
        if ages:
            yield score_of(self, call, STALE, ages[(len(ages) - 1) // 2])
        if len(documents) > 1 and any(d.content for d in documents):
            yield self._duplicates(trace, call)

    def _duplicates(self, trace: Trace, call: Call) -> Score:
        reading = reading_of(trace)
        vocabulary = {id(d): p.kinds for d, p in zip(reading.documents, reading.document_pieces, strict=True)}
        sets = [vocabulary[id(d)] for d in call.documents[:MAX_COMPARED] if id(d) in vocabulary]
        repeated = sum(any(self._same(own, other) for other in sets[:rank]) for rank, own in enumerate(sets))
        why = f"{repeated} of {len(sets)} documents repeat others" if repeated else ""
        return score_of(self, call, DUPLICATES, repeated / max(len(sets) - 1, 1), why)

    def _same(self, a: frozenset[str], b: frozenset[str]) -> bool:
        if len(a) * self.alike > len(b) or len(b) * self.alike > len(a):
            return False
        shared = len(a & b)
        return shared >= self.alike * (len(a) + len(b) - shared)
