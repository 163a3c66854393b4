"""An OTLP protobuf body → the places of its items, so that each can be parsed alone and let go before the next.

Parsed as a whole, a body takes many times its size, without a bound that is known beforehand; and one bad string loses all
of it. The export requests of all signals have the same frame: field 1 holds resources' groups; in a group, 1 is the resource
and 2 are scopes' groups; in such a group, 1 is the scope and 2 are the items.
"""

import msgspec

from holdfast.core.errors import InputError, TooLargeError
from holdfast.ingest.limits import MAX_ITEMS
from holdfast.ingest.otlp.wire import fields

_HEAD, _MEMBERS = 1, 2
_MAX_FIELDS = 4 * MAX_ITEMS


class Scoped(msgspec.Struct):
    """The items of one scope: the bytes of the scope, and where each item begins and ends in the body."""

    scope: bytes
    items: list[tuple[int, int]]


class Group(msgspec.Struct):
    """The bytes of one resource, and its scopes."""

    resource: bytes
    scopes: list[Scoped]


def split(body: bytes, names: tuple[str, str]) -> list[Group]:
    """The groups of a body. `names` are what its two levels of groups are called in OTLP/JSON.

    Raises:
        InputError: the frame around the items is damaged; what the items hold is not looked at.
        TooLargeError: more than `MAX_ITEMS` items.
    """
    return _Splitter(body, names).groups()


class _Splitter:
    def __init__(self, body: bytes, names: tuple[str, str]) -> None:
        self._body = body
        self._view = memoryview(body)
        self._names = names
        self._fields = 0
        self._items = 0

    def groups(self) -> list[Group]:
        found: list[Group] = []
        for number, _, inner, end in fields(self._view):
            self._step()
            if number == _HEAD:
                place = f"{self._names[0]}[{len(found)}]"
                found.append(self._group(_message(inner, place), end, place))
        return found

    def _group(self, begin: int, end: int, where: str) -> Group:
        resource: list[bytes] = []
        scopes: list[Scoped] = []
        for number, _, inner, stop in fields(self._view[begin:end], where):
            self._step()
            if number == _HEAD:
                # Parts of one message that stand apart are merged by being put together.
                resource.append(self._body[begin + _message(inner, where) : begin + stop])
            elif number == _MEMBERS:
                place = f"{where}.{self._names[1]}[{len(scopes)}]"
                scopes.append(self._scoped(begin + _message(inner, place), begin + stop, place))
        return Group(b"".join(resource), scopes)

    def _scoped(self, begin: int, end: int, where: str) -> Scoped:
        scope: list[bytes] = []
        items: list[tuple[int, int]] = []
        for number, _, inner, stop in fields(self._view[begin:end], where):
            self._items += number == _MEMBERS
            self._step()
            if number == _MEMBERS:
                items.append((begin + _message(inner, where), begin + stop))
            elif number == _HEAD:
                scope.append(self._body[begin + _message(inner, where) : begin + stop])
        return Scoped(b"".join(scope), items)

    def _step(self) -> None:
        self._fields += 1
        if self._fields > _MAX_FIELDS or self._items > MAX_ITEMS:
            raise TooLargeError(f"body holds more than {MAX_ITEMS} items; send fewer at a time")


def _message(inner: int | None, where: str) -> int:
    if inner is None:
        raise InputError("body is not OTLP protobuf", where)
    return inner
