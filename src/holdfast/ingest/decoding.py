"""Which function reads which body, each with the redactor in it: what has passed here holds no secret any more."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from holdfast.core.change import Change
from holdfast.core.clock import Clock, SystemClock
from holdfast.core.errors import InputError
from holdfast.ingest.auth import UnauthenticatedError
from holdfast.ingest.changes import parse_cloudevents, parse_github
from holdfast.ingest.intake import Decode, Decoders, Feed
from holdfast.ingest.otlp import Encoding, Redactor, read_logs, read_metrics, read_traces
from holdfast.ingest.record import Decoded

Headers = Mapping[str, str]
SIGNATURE_HEADER = "X-Hub-Signature-256"


class ChangeParsers(msgspec.Struct, frozen=True):
    """How change events are read: headers (lower-case names) and body in, changes out. `github` is None without a secret."""

    cloudevents: Callable[[Headers, bytes], list[Change]]
    github: Callable[[Headers, bytes], Change | None] | None = None


def otlp_decoders(redactor: Redactor, clock: Clock | None = None) -> Decoders:
    """The decoders of all OTLP feeds and encodings. `clock` tells which spans are from the future."""
    now = (clock or SystemClock()).now_ns

    def bound(read: Callable[[bytes, Encoding, Redactor, int], Iterator[Decoded]], encoding: Encoding) -> Decode:
        return lambda body: read(body, encoding, redactor, now())

    feeds = {Feed.TRACES: read_traces, Feed.LOGS: read_logs, Feed.METRICS: read_metrics}
    return {(feed, encoding): bound(read, encoding) for feed, read in feeds.items() for encoding in Encoding}


def change_parsers(redactor: Redactor, github_secret: str) -> ChangeParsers:
    """The parsers of change events; none for GitHub without a secret of its webhook."""

    def cloudevents(headers: Headers, body: bytes) -> list[Change]:
        return parse_cloudevents(headers, body, redactor)

    def github(headers: Headers, body: bytes) -> Change | None:
        try:
            return parse_github(headers, body, github_secret, redactor)
        except InputError as error:
            if error.where == SIGNATURE_HEADER:
                raise UnauthenticatedError(str(error)) from error
            raise

    return ChangeParsers(cloudevents, github if github_secret else None)
