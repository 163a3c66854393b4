"""`Exchange`: one request on its way through the gateway, with all that was found out, decided and done about it."""

from collections.abc import AsyncIterator
from enum import StrEnum

import msgspec
import orjson

from holdfast.control.effective import NOTHING, Effective
from holdfast.control.snapshot import Dialect, GuardMode, GuardPlace, Route, VirtualKey
from holdfast.core.call import Dimensions
from holdfast.gateway.compiled import ANY, Compiled
from holdfast.gateway.dialects.protocol import Asked, Endpoint, Json, Said
from holdfast.gateway.guards.protocol import Seen
from holdfast.gateway.refusal import Refusal, error_body

NO_ROUTE = Route(name="", targets=())


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a client sent. Header names are in lower case; of repeated headers the values are joined as HTTP says.

    `path` has its escapes read, and no slash at its end; `raw_path` is as it came.
    """

    method: str
    path: str
    raw_path: bytes = b""
    query: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""
    started_ns: int = 0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the client gets: a body, or the pieces of a stream."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | AsyncIterator[bytes] = b""


class Ruling(StrEnum):
    """What a guard says, in OpenTelemetry's words, and two of ours: it did not run, or had nothing to read."""

    ALLOW = "allow"
    DENY = "deny"
    ERROR = "error"
    NOT_RUN = "not_run"
    NOT_APPLICABLE = "not_applicable"


class Enforced(StrEnum):
    """What was then done: another thing than what the guard said."""

    NONE = "none"
    SHADOW = "shadow"
    RELAXED = "relaxed"
    """It would have acted, but its budget for harmless requests is spent."""
    REFUSED = "refused"
    REPLACED = "replaced"
    REDACTED = "redacted"
    CUT = "cut"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One guard on one text. `score` in [0, 1], None where it gave none."""

    guard: str
    kind: str
    place: GuardPlace
    mode: GuardMode
    ruling: Ruling
    enforced: Enforced = Enforced.NONE
    score: float | None = None
    threshold: float = 0.5
    why: str = ""
    cost_ns: int = 0


class Attempt(msgspec.Struct, kw_only=True):
    """One try at one target. `failure` is empty for an answer; `status` 0 where none came."""

    target: str
    status: int = 0
    failure: str = ""
    probe: tuple[str, ...] = ()


class Exchange:
    """Everything about one request. Stages write into it; nothing else is shared between them."""

    __slots__ = (
        "_json",
        "_outgoing",
        "application",
        "asked",
        "attempts",
        "block_id",
        "changes",
        "compiled",
        "copies",
        "cost_usd",
        "dialect",
        "dimensions",
        "effective",
        "ended_ns",
        "endpoint",
        "first_byte_ns",
        "key",
        "off",
        "prompt_version",
        "refusal",
        "request",
        "request_id",
        "route",
        "said",
        "seen",
        "span_id",
        "status",
        "target",
        "trace_id",
        "trace_parent",
        "user",
        "verdicts",
    )

    def __init__(
        self, request: Request, compiled: Compiled, dialect: Dialect, endpoint: Endpoint | None, request_id: str
    ) -> None:
        self.request, self.compiled, self.dialect, self.endpoint = request, compiled, dialect, endpoint
        self.request_id = request_id
        self.trace_id = self.span_id = self.trace_parent = ""
        self.key: VirtualKey = ANY
        self.route: Route = NO_ROUTE
        self.application = ""
        self.user = ""
        self.dimensions: Dimensions = {}
        self.effective: Effective = NOTHING
        self.asked = Asked()
        self.seen: Seen | None = None
        self.said: Said | None = None
        self.verdicts: list[Verdict] = []
        self.attempts: list[Attempt] = []
        self.changes: list[str] = []
        self.refusal: Refusal | None = None
        self.block_id = ""
        self.prompt_version = ""
        self.target = ""
        self.status = 0
        self.cost_usd: float | None = None
        self.first_byte_ns = self.ended_ns = 0
        self.off = False
        self.copies: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self._json: Json | None = None
        self._outgoing: bytes | None = None

    @property
    def json(self) -> Json:
        """The request's body as it goes out."""
        return self._json or {}

    @json.setter
    def json(self, value: Json) -> None:
        self._json, self._outgoing = value, None

    def parsed(self, value: Json) -> None:
        """Keep what the body spells, without saying that it was changed."""
        self._json, self._outgoing = value, self.request.body

    def outgoing(self) -> bytes:
        """The body as it goes out: the client's own bytes unless something was changed."""
        if self._outgoing is None:
            self._outgoing = self.request.body if self._json is None else orjson.dumps(self._json)
        return self._outgoing

    def changed(self, what: str) -> None:
        """Note for the client that something is not as it asked."""
        if what not in self.changes:
            self.changes.append(what)

    def to_judge(self, said: Said | None = None) -> Seen:
        """What guards may read of it."""
        return Seen(self.asked, said, self.dimensions, self.compiled.calibrator)

    def refuse(self, refusal: Refusal) -> Reply:
        """The answer that refuses."""
        self.refusal = refusal
        self.block_id = refusal.block_id or self.block_id
        headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
        if refusal.retry_after_s > 0:
            headers += (("retry-after", str(max(1, round(refusal.retry_after_s)))),)
        return Reply(status=refusal.status, headers=headers, body=error_body(self.dialect, refusal, self.request_id))

    def own_headers(self) -> list[tuple[str, str]]:
        """What every answer tells about itself."""
        found = [("x-request-id", self.request_id), ("x-holdfast-snapshot", str(self.compiled.version))]
        if self.trace_id:
            found.append(("traceparent", f"00-{self.trace_id}-{self.span_id}-01"))
        if self.route.name:
            found.append(("x-holdfast-route", printable(self.route.name)))
        if self.target:
            found.append(("x-holdfast-target", printable(self.target)))
        if self.changes:
            found.append(("x-holdfast-changed", printable(", ".join(self.changes))))
        if self.refusal is not None:
            found.append(("x-holdfast-reason", self.refusal.reason.value))
        if self.block_id:
            found.append(("x-holdfast-block-id", printable(self.block_id)))
        return found


def printable(text: str) -> str:
    """`text` as a header can carry it: visible ASCII, at most 500 characters."""
    if text.isascii() and text.isprintable() and len(text) <= 500:
        return text
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text[:500])
