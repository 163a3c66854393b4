"""Originals: values that redaction replaced and that are to be sealed, on their way from one body to the vault."""

import msgspec

from holdfast.context.entities import PSEUDONYM_DIGITS, Entity, Pseudonym
from holdfast.context.memo import Memo

MAX_VALUE_BYTES = 4_096
"""A longer value is left out: nothing that describes a person is as long."""
MAX_ORIGINALS = 10_000
"""Different values of one body; what is beyond them is left out."""


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """One value as it was found.

    Args:
        application: `service.name` of the telemetry that it was found in.
        entity: what kind of value it is.
        code: 64 hex digits of the keyed hash of the normalised value; the pseudonym is the first eight.
        value: the value itself. Its `repr` is not shown in logs or messages: see `__repr__`.
        time_ns: when what it was found in ended.
    """

    application: str
    entity: Entity
    code: str
    value: str
    time_ns: int

    def __repr__(self) -> str:
        """Everything but the value, so that no log or traceback can hold it."""
        return f"Original({self.application!r}, {self.pseudonym})"

    @property
    def pseudonym(self) -> Pseudonym:
        """What stands in its place."""
        return Pseudonym(self.entity, self.code[:PSEUDONYM_DIGITS])

    @property
    def key(self) -> tuple[str, str, str]:
        """Application, entity and code: the same for the same value however it was written."""
        return self.application, self.entity.value, self.code


class Originals:
    """What was found while one body is read. Belongs to one reader; bounded; never raises.

    `time_ns` is when the item that is being read ended.
    """

    def __init__(self, most: int = MAX_ORIGINALS) -> None:
        self.time_ns = 0
        self.memo: Memo[tuple[str, tuple[Entity, ...]]] = Memo()
        self._most, self._left_out = most, 0
        self._found: dict[tuple[str, str, str], Original] = {}
        self._item: list[tuple[str, str, str]] = []

    def begin(self, time_ns: int) -> None:
        """The next item is read; it ended at `time_ns`."""
        self.time_ns = time_ns
        self._item.clear()

    def add(self, application: str, entity: Entity, code: str, value: str) -> None:
        """A value was found in this item."""
        original = Original(application=application, entity=entity, code=code, value=value, time_ns=self.time_ns)
        known = self._found.get(original.key)
        if known is None:
            if len(self._found) >= self._most or len(value.encode("utf-8", "surrogatepass")) > MAX_VALUE_BYTES:
                self._left_out += 1
                return
            self._item.append(original.key)
        elif known.time_ns >= self.time_ns:
            return
        self._found[original.key] = original

    def undo(self) -> None:
        """This item is not kept: nor is what only it holds."""
        for key in self._item:
            self._found.pop(key, None)
        self._item.clear()
        self.memo = Memo()

    def take(self) -> tuple[tuple[Original, ...], int]:
        """What was found since the last time, and how many values were left out: too long, or too many."""
        found, left_out = tuple(self._found.values()), self._left_out
        self._found.clear()
        self._item.clear()
        self._left_out = 0
        return found, left_out
