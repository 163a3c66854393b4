"""Redaction of raw telemetry: once, before anything is derived from it."""

from typing import Any, Protocol, Self, runtime_checkable

from holdfast.context.originals import Original, Originals
from holdfast.ingest.otlp.raw import Attributes, RawLog, RawPoint, RawSpan


class Redactor(Protocol):
    """Replaces what must not be stored by typed placeholders. `holdfast.context.redact.Redactor` is the real one.

    JSON inside texts must stay JSON, and be redacted as what its escapes mean.
    """

    def text(self, text: str, /) -> str:
        """`text` with secrets and personal data replaced."""
        ...

    def value(self, value: Any, /) -> Any:
        """The same for a string, number, list or dict, at every depth, keys too."""
        ...


@runtime_checkable
class RedactorOfServices(Redactor, Protocol):
    """A redactor whose policy may differ from application to application."""

    def for_service(self, service: str) -> Self:
        """The redactor with the treatments of `service`."""
        ...


@runtime_checkable
class RedactorThatTells(Redactor, Protocol):
    """A redactor that tells the originals of what its policy seals."""

    def telling(self, originals: Originals, /) -> Self:
        """The redactor for one reader, who is told in `originals`."""
        ...


class Redaction:
    """A redactor put to one body. Items of one resource come one after the other, so that each resource is done once."""

    def __init__(self, redactor: Redactor) -> None:
        self._originals = Originals()
        self._any = redactor.telling(self._originals) if isinstance(redactor, RedactorThatTells) else redactor
        self._redactor = self._any
        self._seen: Attributes | None = None
        self._resource: Attributes = {}

    def span(self, span: RawSpan) -> None:
        """Redact a span in place, its resource, scope and events too."""
        self._originals.begin(span.end_ns)
        span.resource = self._entered(span.resource)
        redactor = self._redactor
        span.name = redactor.text(span.name)
        span.scope = redactor.text(span.scope)
        if span.status_message:
            span.status_message = redactor.text(span.status_message)
        if span.trace_state:
            span.trace_state = redactor.text(span.trace_state)
        span.attributes = redactor.value(span.attributes)
        for event in span.events:
            event.name = redactor.text(event.name)
            event.attributes = redactor.value(event.attributes)

    def log(self, log: RawLog) -> None:
        """Redact a log record in place, its resource too."""
        self._originals.begin(log.time_ns)
        log.resource = self._entered(log.resource)
        log.event_name = self._redactor.text(log.event_name)
        log.body = self._redactor.value(log.body)
        log.attributes = self._redactor.value(log.attributes)

    def point(self, point: RawPoint) -> None:
        """Redact a data point in place, its resource too."""
        self._originals.begin(point.time_ns)
        point.resource = self._entered(point.resource)
        point.name = self._redactor.text(point.name)
        point.unit = self._redactor.text(point.unit)
        point.attributes = self._redactor.value(point.attributes)

    def undo(self) -> None:
        """The item that was redacted last is not kept: nor are its originals."""
        self._originals.undo()

    def originals(self) -> tuple[tuple[Original, ...], int]:
        """What is to be sealed of the items since the last time, and how many values were left out."""
        return self._originals.take()

    def _entered(self, resource: Attributes) -> Attributes:
        """The redacted resource; from here on the policy of its application counts."""
        if resource is not self._seen:
            service = resource.get("service.name")
            redactor = self._any
            if isinstance(redactor, RedactorOfServices) and isinstance(service, str):
                redactor = redactor.for_service(service)
            self._redactor = redactor
            self._seen, self._resource = resource, self._redactor.value(resource)
        return self._resource
