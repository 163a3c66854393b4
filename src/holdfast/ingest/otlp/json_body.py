"""OTLP/JSON → raw spans, log records and data points.

Ids are hex, enums integers (their names are taken too), 64-bit integers strings or numbers, keys lowerCamelCase, unknown
keys ignored.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from holdfast.core.errors import InputError
from holdfast.ingest.limits import MAX_ATTRIBUTES, MAX_DEPTH, MAX_EVENTS, MAX_HEAD_BYTES, MAX_ITEM_BYTES, MAX_WEIGHT_BYTES
from holdfast.ingest.otlp.json_bounds import check_size, check_weight
from holdfast.ingest.otlp.protobuf import text_of
from holdfast.ingest.otlp.raw import Attributes, RawEvent, RawLog, RawPoint, RawSpan
from holdfast.ingest.record import Rejected

_STATUS = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_KIND = {f"SPAN_KIND_{name}": number for number, name in enumerate(_KINDS)}
_NO_RECORDED_VALUE = 1
_INT64 = 2**63


def load(body: bytes) -> Any:
    """Parse JSON as telemetry needs it: bad UTF-8 and lone surrogates become U+FFFD, NaN and Infinity are numbers.

    Raises:
        InputError: not JSON, or nested too deep.
        TooLargeError: it has to be put right, and is too large for that.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as strict:
        check_weight(body, MAX_WEIGHT_BYTES // 2)  # it is held twice while it is put right
        try:
            parsed = json.loads(body.decode("utf-8", "replace"))
            # Lone surrogates pass json but cannot be stored: they are replaced on the way through UTF-8.
            return orjson.loads(json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace")) if b"\\u" in body else parsed
        except (ValueError, RecursionError) as error:
            reason = "nested too deep" if isinstance(error, RecursionError) or "depth limit" in str(strict) else str(strict)
            raise InputError(f"not JSON: {reason}") from error


def spans(document: dict[str, Any], rejected: list[Rejected]) -> Iterator[RawSpan]:
    """Every span under `resourceSpans`; those that cannot be read go to `rejected`."""
    for i, group, resource in _groups(document, "resourceSpans", rejected):
        for j, scoped in _items(group, "scopeSpans", f"resourceSpans[{i}]", rejected):
            where = f"resourceSpans[{i}].scopeSpans[{j}]"
            scope = scoped.get("scope")
            name = _text(scope.get("name")) if isinstance(scope, dict) else ""
            for k, span in _items(scoped, "spans", where, rejected):
                try:
                    check_size(span, MAX_ITEM_BYTES)
                    yield _span(span, (i, j, k), resource, name)
                except InputError as error:
                    rejected.append(Rejected(f"{where}.spans[{k}]{error.where}", error.message))


def _span(span: dict[str, Any], where: tuple[int, int, int], resource: Attributes, scope: str) -> RawSpan:
    status = span.get("status") or {}
    if not isinstance(status, dict):
        raise InputError("must be an object", ".status")
    return RawSpan(
        where=where,
        trace_id=_id(span, "traceId"),
        span_id=_id(span, "spanId"),
        parent_span_id=_id(span, "parentSpanId"),
        name=_text(span.get("name")),
        kind=_enum(span, "kind", _KIND),
        start_ns=_int64(span, "startTimeUnixNano"),
        end_ns=_int64(span, "endTimeUnixNano"),
        status=_enum(status, "code", _STATUS),
        status_message=_text(status.get("message")),
        attributes=attributes(span.get("attributes")),
        events=_events(span),
        links=len(_objects(span, "links")),
        resource=resource,
        scope=scope,
        trace_state=_text(span.get("traceState")),
    )


def _events(span: dict[str, Any]) -> list[RawEvent]:
    events = _objects(span, "events")
    if len(events) > MAX_EVENTS:
        raise InputError(f"{len(events)} events are more than {MAX_EVENTS}", ".events")
    return [_event(event) for event in events]


def _event(event: dict[str, Any]) -> RawEvent:
    return RawEvent(_text(event.get("name")), _int64(event, "timeUnixNano"), attributes(event.get("attributes")))


def logs(document: dict[str, Any], rejected: list[Rejected]) -> Iterator[RawLog]:
    """Every record under `resourceLogs`; those that cannot be read go to `rejected`."""
    for i, group, resource in _groups(document, "resourceLogs", rejected):
        for j, scoped in _items(group, "scopeLogs", f"resourceLogs[{i}]", rejected):
            where = f"resourceLogs[{i}].scopeLogs[{j}]"
            for k, record in _items(scoped, "logRecords", where, rejected):
                try:
                    check_size(record, MAX_ITEM_BYTES)
                    yield _log(record, (i, j, k), resource)
                except InputError as error:
                    rejected.append(Rejected(f"{where}.logRecords[{k}]{error.where}", error.message))


def _log(record: dict[str, Any], where: tuple[int, int, int], resource: Attributes) -> RawLog:
    return RawLog(
        where=where,
        trace_id=_id(record, "traceId"),
        span_id=_id(record, "spanId"),
        time_ns=_int64(record, "timeUnixNano") or _int64(record, "observedTimeUnixNano"),
        event_name=_text(record.get("eventName")),
        body=any_value(record.get("body")),
        attributes=attributes(record.get("attributes")),
        resource=resource,
    )


def points(document: dict[str, Any], rejected: list[Rejected]) -> Iterator[RawPoint]:
    """Every data point under `resourceMetrics`; those that cannot be read go to `rejected`."""
    for i, group, resource in _groups(document, "resourceMetrics", rejected):
        for j, scoped in _items(group, "scopeMetrics", f"resourceMetrics[{i}]", rejected):
            where = f"resourceMetrics[{i}].scopeMetrics[{j}]"
            for k, metric in _items(scoped, "metrics", where, rejected):
                yield from _points(metric, (i, j, k), resource, rejected)


_METRIC_KINDS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")


def _points(
    metric: dict[str, Any], where: tuple[int, int, int], resource: Attributes, rejected: list[Rejected]
) -> Iterator[RawPoint]:
    place = "resourceMetrics[{}].scopeMetrics[{}].metrics[{}]".format(*where)
    for which in _METRIC_KINDS:
        data = metric.get(which)
        if not isinstance(data, dict):
            continue
        for n, point in _items(data, "dataPoints", place, rejected):
            try:
                yield RawPoint(
                    where=(*where, n),
                    time_ns=_int64(point, "timeUnixNano"),
                    name=_text(metric.get("name")),
                    unit=_text(metric.get("unit")),
                    value=_number(point, which),
                    attributes=attributes(point.get("attributes")),
                    resource=resource,
                )
            except InputError as error:
                rejected.append(Rejected(f"{place}.dataPoints[{n}]{error.where}", error.message))


def _number(point: dict[str, Any], which: str) -> float | None:
    if _int64(point, "flags") & _NO_RECORDED_VALUE:
        return None
    if which in ("gauge", "sum"):
        if "asInt" in point:
            return float(_int64(point, "asInt"))
        return _double(point["asDouble"], ".asDouble") if "asDouble" in point else None
    count = _int64(point, "count")
    return _double(point.get("sum", 0.0), ".sum") / count if count else math.nan


def _groups(document: dict[str, Any], key: str, rejected: list[Rejected]) -> Iterator[tuple[int, dict[str, Any], Attributes]]:
    for i, group in _items(document, key, "", rejected):
        resource = group.get("resource")
        try:
            found = _resource(resource) if isinstance(resource, dict) else {}
        except InputError as error:
            rejected.append(Rejected(f"{key}[{i}].resource{error.where}", error.message, lost=False))
            found = {}
        yield i, group, found


def _resource(resource: dict[str, Any]) -> Attributes:
    check_size(resource, MAX_HEAD_BYTES)
    return attributes(resource.get("attributes"))


def _items(parent: dict[str, Any], key: str, where: str, rejected: list[Rejected]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(index, element) of the list `parent[key]`; what is no object goes to `rejected`."""
    place = f"{where}.{key}" if where else key
    items = parent.get(key)
    if items is None:
        return
    if not isinstance(items, list):
        rejected.append(Rejected(place, "must be a list"))
        return
    for index, item in enumerate(items):
        if isinstance(item, dict):
            yield index, item
        else:
            rejected.append(Rejected(f"{place}[{index}]", "must be an object"))


def _objects(parent: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = parent.get(key)
    if not items:
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InputError("must be a list of objects", f".{key}")
    return items


def attributes(items: Any) -> Attributes:
    """Key-values as a dict.

    Raises:
        InputError: wrong shape, more than `MAX_ATTRIBUTES`, or one nested deeper than `MAX_DEPTH`.
    """
    if not items:
        return {}
    if not isinstance(items, list):
        raise InputError("must be a list of key and value", ".attributes")
    if len(items) > MAX_ATTRIBUTES:
        raise InputError(f"{len(items)} attributes are more than {MAX_ATTRIBUTES}", ".attributes")
    found: Attributes = {}
    for item in items:
        if not isinstance(item, dict) or not isinstance(key := item.get("key"), str):
            raise InputError("must be a list of key and value", ".attributes")
        value = item.get("value")
        if isinstance(value, dict) and isinstance(text := value.get("stringValue"), str):
            found[key] = text
        else:
            found[key] = any_value(value)
    return found


def any_value(value: Any, depth: int = 0) -> Any:
    """An AnyValue as a Python value. Bytes become text, base64 where they are none; one of an unknown kind is None.

    Raises:
        InputError: wrong shape, or nested deeper than `MAX_DEPTH`.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InputError(f"value must be an object such as {{'stringValue': …}}, not {type(value).__name__}", ".attributes")
    if depth > MAX_DEPTH:
        raise InputError(f"attribute is nested deeper than {MAX_DEPTH} levels", ".attributes")
    for kind, read in _SCALARS.items():
        if (held := value.get(kind)) is not None:
            return read(held)
    if "arrayValue" in value:
        return [any_value(item, depth + 1) for item in _values(value["arrayValue"])]
    if "kvlistValue" in value:
        return {_text(item.get("key")): any_value(item.get("value"), depth + 1) for item in _values(value["kvlistValue"])}
    return None


def _values(holder: Any) -> list[Any]:
    values = holder.get("values") if isinstance(holder, dict) else None
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(item, dict) for item in values):
        raise InputError("values must be a list of objects", ".attributes")
    return values


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise InputError("boolValue must be true or false", ".attributes")


def _bytes(value: Any) -> str:
    try:
        return text_of(base64.b64decode(value, validate=True))
    except (binascii.Error, TypeError, ValueError) as error:
        raise InputError("bytesValue must be base64", ".attributes") from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise InputError("stringValue must be a string", ".attributes")


def _id(parent: dict[str, Any], key: str) -> str:
    value = parent.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{key} must be a string of hex digits", f".{key}")
    return value


def _enum(parent: dict[str, Any], key: str, names: dict[str, int]) -> int:
    value = parent.get(key, 0)
    if isinstance(value, str) and value in names:
        return names[value]
    return _int64(parent, key)


def _int64(parent: dict[str, Any], key: str) -> int:
    value = parent.get(key)
    return 0 if value is None else _integer(value, f".{key}")


def _integer(value: Any, where: str = ".attributes") -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"must be a 64-bit integer, not {value!r:.40}", where) from error
    if isinstance(value, float) and value != number:
        raise InputError(f"must be a 64-bit integer, not {value!r:.40}", where)
    if not -_INT64 <= number < 2 * _INT64:
        raise InputError("does not fit into 64 bits", where)
    return number


def _double(value: Any, where: str = ".attributes") -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"must be a number, not {value!r:.40}", where) from error


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "stringValue": _string,
    "intValue": _integer,
    "doubleValue": _double,
    "boolValue": _bool,
    "bytesValue": _bytes,
}
