"""Change events → `Change`: CloudEvents over HTTP (structured, binary, batch) and in files, and GitHub's deployment webhooks.

Source: CloudEvents 1.0.2, HTTP protocol binding and JSON event format; GitHub's guide "Validating webhook deliveries".
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import from_iso
from holdfast.core.errors import InputError
from holdfast.core.ids import derived_id
from holdfast.ingest.limits import MAX_BODY_BYTES, MAX_DIMENSION_CHARS, MAX_TIME_NS
from holdfast.ingest.otlp.application import PROPERTIES
from holdfast.ingest.otlp.json_body import load
from holdfast.ingest.record import Rejected

CHANGE_TYPE = "holdfast.change.v1"
_BATCH = "application/cloudevents-batch+json"
_MAX_VALUE_CHARS = 65_536
_SERVICE = ("service.name", "service")
_FINISHED = "success"


class TextRedactor(Protocol):
    """The part of a redactor that changes need."""

    def value(self, v: Any, /) -> Any:
        """`v` with secrets and personal data replaced, at every depth."""
        ...


def parse_cloudevents(headers: Mapping[str, str], body: bytes, redactor: TextRedactor | None = None) -> list[Change]:
    """The changes in one HTTP request. All or none: a batch with one bad event is refused with that event's place.

    Raises:
        InputError: no CloudEvent, of another type, or with fields missing or wrong; names the field.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    media = lower.get("content-type", "").split(";")[0].strip().lower()
    if "ce-type" in lower or "ce-specversion" in lower:
        event = {name[3:]: unquote(value) for name, value in lower.items() if name.startswith("ce-")}
        return [change_of({**event, "data": load(body)}, redactor=redactor)]
    document = load(body)
    if isinstance(document, list):
        return [change_of(event, f"[{i}]", redactor) for i, event in enumerate(document)]
    if media == _BATCH:
        raise InputError(f"{_BATCH} must be a JSON array")
    return [change_of(document, redactor=redactor)]


def is_change(event: Any) -> bool:
    """Whether a parsed line is meant to be a CloudEvent."""
    return isinstance(event, dict) and isinstance(event.get("type"), str) and ("specversion" in event or "data" in event)


def change_of(event: Any, where: str = "", redactor: TextRedactor | None = None) -> Change:
    """One CloudEvent in JSON form.

    `id` and `source` may be missing, as people write these lines by hand: the id is then derived from the rest.

    Raises:
        InputError: see `parse_cloudevents`.
    """
    if not isinstance(event, dict):
        raise InputError("a CloudEvent must be a JSON object", where)
    if event.get("type") != CHANGE_TYPE:
        raise InputError(f"must be {CHANGE_TYPE!r}, not {event.get('type')!r:.80}", _under(where, "type"))
    version = event.get("specversion", "1.0")
    if not str(version).startswith("1."):
        raise InputError(f"must be 1.0, not {version!r:.20}", _under(where, "specversion"))
    data = event.get("data")
    if isinstance(data, str):
        data = load(data.encode("utf-8", "replace"))
    if not isinstance(data, dict):
        raise InputError("must be an object with kind, target, from, to and scope", _under(where, "data"))
    time_ns = _time(event.get("time"), _under(where, "time"))
    kind = _kind(data.get("kind"), _under(where, "data.kind"))
    if redactor is not None:
        event, data = redactor.value({k: event.get(k) for k in ("id", "source", "subject")}), redactor.value(data)
    return _change(event, data, time_ns, kind, _under(where, "data.scope"))


def _change(event: dict[str, Any], data: dict[str, Any], time_ns: int, kind: ChangeKind, where: str) -> Change:
    scope = _scope(data.get("scope"), where)
    service = _text(data.get("service")) or next((scope[k] for k in _SERVICE if k in scope), "")
    target, after = _text(data.get("target")), _text(data.get("to"))
    subject = _text(event.get("subject"))
    return Change(
        id=_text(event.get("id")) or derived_id("chg", time_ns, kind, subject, target, after),
        time_ns=time_ns,
        kind=kind,
        source=_text(event.get("source")),
        subject=subject,
        target=target,
        from_value=_text(data.get("from")),
        to_value=after,
        service=service,
        scope={PROPERTIES.get(k, k): v for k, v in scope.items() if k not in _SERVICE},
    )


def _under(where: str, field: str) -> str:
    return f"{where}.{field}" if where else field


def _text(value: Any) -> str:
    if value is None:
        return ""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:_MAX_VALUE_CHARS]


def _time(value: Any, where: str) -> int:
    if not isinstance(value, str) or not value:
        raise InputError("is missing; it must be an RFC 3339 time", where)
    try:
        moment = from_iso(value.strip())
    except (ValueError, OverflowError) as error:
        raise InputError(f"must be an RFC 3339 time, not {value!r:.60}", where) from error
    if not 0 < moment <= MAX_TIME_NS:
        raise InputError(f"is out of range: {value!r:.60}", where)
    return moment


def _kind(value: Any, where: str) -> ChangeKind:
    try:
        return ChangeKind(str(value).lower())
    except ValueError as error:
        raise InputError(f"must be one of {', '.join(ChangeKind)}, not {value!r:.60}", where) from error


def _scope(value: Any, where: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError("must be an object of dimension and value", where)
    return {str(k): _text(v)[:MAX_DIMENSION_CHARS] for k, v in value.items() if v not in (None, "")}


def parse_github(headers: Mapping[str, str], body: bytes, secret: str, redactor: TextRedactor | None = None) -> Change | None:
    """The change that a GitHub webhook tells: a deployment, or its success. None for every other event and state.

    Both have the identity of the deployment, so that the second of them is recognised as known. The deployment's `payload`
    may hold kind, target, from, to, scope and service; without, it is a change of code from nothing to the commit.

    Raises:
        InputError: the signature does not match, or the payload is no such event.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    _verify(lower.get("x-hub-signature-256", ""), body, secret)
    event = lower.get("x-github-event", "")
    if event not in ("deployment", "deployment_status"):
        return None
    document = load(body)
    if not isinstance(document, dict) or not isinstance(deployment := document.get("deployment"), dict):
        raise InputError("must be an object", "deployment")
    moment = deployment.get("created_at")
    if event == "deployment_status":
        status = document.get("deployment_status")
        if not isinstance(status, dict):
            raise InputError("must be an object", "deployment_status")
        if status.get("state") != _FINISHED:
            return None
        moment = status.get("created_at") or moment
    return _deployed(document, deployment, _time(moment, f"{event}.created_at"), redactor)


def _deployed(document: dict[str, Any], deployment: dict[str, Any], time_ns: int, redactor: TextRedactor | None) -> Change:
    repository = document.get("repository")
    name = _text(repository.get("full_name")) if isinstance(repository, dict) else ""
    if not isinstance(deployment.get("id"), int | str):
        raise InputError("is missing", "deployment.id")
    payload = deployment.get("payload")
    if isinstance(payload, str) and payload.lstrip().startswith("{"):
        payload = load(payload.encode("utf-8", "replace"))
    told = payload if isinstance(payload, dict) else {}
    data = {
        "target": name,
        "to": deployment.get("sha") or deployment.get("ref"),
        **{k: told[k] for k in ("target", "from", "to", "scope", "service") if k in told},
    }
    kind = _kind(told["kind"], "deployment.payload.kind") if "kind" in told else ChangeKind.CODE
    event = {"id": f"deployment-{deployment['id']}", "source": f"github.com/{name}", "subject": deployment.get("environment")}
    if redactor is not None:
        event, data = redactor.value(event), redactor.value(data)
    return _change(event, data, time_ns, kind, "deployment.payload.scope")


def _verify(signature: str, body: bytes, secret: str) -> None:
    if not secret:
        raise InputError("no webhook secret is configured", "X-Hub-Signature-256")
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    # compare_digest refuses text that is not ASCII, so both sides are bytes.
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise InputError("signature is missing or does not match", "X-Hub-Signature-256")


def read_changes(path: Path | str, redactor: TextRedactor | None = None) -> Iterator[Change | Rejected]:
    """The changes in a file of CloudEvents lines; a bad line is yielded as `Rejected` with file and line.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with Path(path).open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(MAX_BODY_BYTES), b""), 1):
                if line.strip():
                    yield from _changes_of_line(line, f"{path}:{number}", redactor)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", str(path)) from error


def _changes_of_line(line: bytes, place: str, redactor: TextRedactor | None) -> Iterator[Change | Rejected]:
    try:
        parsed = load(line)
    except InputError as error:
        yield Rejected(place, error.message)
        return
    for event in parsed if isinstance(parsed, list) else [parsed]:
        try:
            yield change_of(event, redactor=redactor)
        except InputError as error:
            # The reason quotes what is wrong.
            yield Rejected(place, str(redactor.value(str(error)) if redactor else error))
