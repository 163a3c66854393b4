"""What the stream `access` says: who did what, from where, and what stood there before and after. Never a secret."""

from enum import StrEnum
from typing import Any

import msgspec

from holdfast.core.stream import StreamEvent


class Act(StrEnum):
    """What can be done, in the past tense."""

    USER_ADDED = "UserAdded"
    USER_CHANGED = "UserChanged"
    PASSWORD_CHANGED = "PasswordChanged"  # noqa: S105 - the name of an act
    TOKEN_ISSUED = "TokenIssued"  # noqa: S105 - the name of an act
    TOKEN_REVOKED = "TokenRevoked"  # noqa: S105 - the name of an act
    SIGNED_IN = "SignedIn"
    SIGNED_OUT = "SignedOut"
    LOGIN_THROTTLED = "LoginThrottled"
    INCIDENT_EXPORTED = "IncidentExported"
    INCIDENT_WRITTEN = "IncidentWritten"
    CALL_LABELLED = "CallLabelled"
    DRILLS_RUN = "DrillsRun"
    SCORES_CALIBRATED = "ScoresCalibrated"
    ORIGINAL_REVEALED = "OriginalRevealed"
    ORIGINAL_ERASED = "OriginalErased"


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `target` is what was acted on; `before` and `after` are JSON values, None where there is none."""

    type: Act
    address: str
    target: str
    application: str = ""
    before: Any = None
    after: Any = None
    reason: str = ""

    def event(self, time_ns: int, actor: str) -> StreamEvent:
        """As the ledger takes it."""
        body = msgspec.json.encode(self, order="deterministic").decode()
        return StreamEvent(time_ns=time_ns, actor=actor, type=self.type.value, body=body)


_decode = msgspec.json.Decoder(Audited).decode


def audited_in(event: StreamEvent) -> Audited:
    """The act that an event of the stream tells of.

    Raises:
        msgspec.ValidationError: it is of a newer Holdfast, or was changed.
    """
    return _decode(event.body)
