"""`quarantine_source`: documents of one source are kept out of prompts."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import in_force
from holdfast.control.effects import QuarantineSource
from holdfast.control.snapshot import Snapshot
from holdfast.core.errors import InputError


class QuarantineSourceArguments(Arguments, frozen=True, kw_only=True):
    """`source`: as in the dimension `document.source`."""

    source: str


class QuarantineSourceAction:
    """Tells applications not to retrieve from a source, and refuses requests that say they did."""

    name = "quarantine_source"
    summary = "keep the documents of one source out of prompts"
    arguments = QuarantineSourceArguments
    caps = Caps(users=5_000, traffic=0.5)
    needs = ()

    def effect(self, arguments: QuarantineSourceArguments, scope: dict[str, str], snapshot: Snapshot) -> QuarantineSource:
        """Raises InputError where no source is named."""
        if not arguments.source.strip():
            raise InputError("is empty", "arguments.source")
        return QuarantineSource(source=arguments.source)

    def does(self, effect: QuarantineSource) -> str:
        """In words."""
        return f"flags tell applications not to retrieve from {effect.source}, requests that declare it are refused"

    def before(self, effect: QuarantineSource, scope: dict[str, str], snapshot: Snapshot) -> str:
        """Whether it is in quarantine already."""
        quarantined = effect.source in in_force(scope, snapshot).quarantined_sources
        return f"{effect.source} is in quarantine by another lease" if quarantined else f"{effect.source} may be retrieved from"
