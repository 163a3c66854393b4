"""The index of segments: which streams a call belongs to, by number, bounded in number."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from holdfast.core.call import DIMENSIONS, Dimensions
from holdfast.core.signal import Segment

Ints = npt.NDArray[np.int64]

WATCHED = tuple(d for d in DIMENSIONS if d not in ("service.name", "user"))
"""Dimensions of which every value is a segment. Users are too many: they are watched where they misbehave."""

OTHER = "other"
DEFAULT_MAX_VALUES = 100
MAX_PROFILES = 20_000
UNKNOWN_SERVICE = ("unknown_service",)

_KEYS = ("service.name", *WATCHED)
_Key = tuple[tuple[str, ...] | None, ...]


class SegmentIndex:
    """Numbers segments and profiles. A profile is the set of segments that a call with given dimensions belongs to.

    Values beyond the bounds of their dimension, or of `max_segments` in all, are counted in `overflow` and become `other`.
    """

    def __init__(self, max_segments: int, max_values: dict[str, int]) -> None:
        self._max_segments = max_segments
        self._max_values = max_values
        self.segments: list[Segment] = []
        self.app: list[int] = []
        self.overflow: Counter[str] = Counter()
        self._numbers: dict[Segment, int] = {}
        self._values: Counter[tuple[str, str]] = Counter()
        self.profiles: list[tuple[int, ...]] = []
        self._by_key: dict[_Key, int] = {}
        self._flat: Ints = np.empty(0, np.int64)
        self._starts: Ints = np.empty(0, np.int64)
        self._lengths: Ints = np.empty(0, np.int64)

    def profile(self, dimensions: Dimensions) -> int:
        """Number of the profile of a call with these dimensions."""
        key = tuple(map(dimensions.get, _KEYS))
        known = self._by_key.get(key)
        return known if known is not None else self._new_profile(key)

    def service_of(self, profile: int) -> int:
        """Segment number of the whole application that a profile belongs to."""
        return self.profiles[profile][0]

    def user(self, app: int, user: str) -> int:
        """Segment number of one user of an application."""
        return self._number(self.segments[app].service, "user", user)

    def find_user(self, app: int, user: str) -> int:
        """Segment number of one user, −1 where that user is not watched."""
        return self._numbers.get(Segment(self.segments[app].service, "user", user), -1)

    def find(self, segment: Segment) -> int:
        """Number of a segment, −1 where there is none."""
        return self._numbers.get(segment, -1)

    def expand(self, profile: Ints) -> tuple[Ints, Ints]:
        """One row per (observation, segment): index of the observation, and number of the segment."""
        self._number_rows()
        lengths = self._lengths[profile]
        index = np.repeat(np.arange(len(profile)), lengths)
        first = np.cumsum(lengths) - lengths
        return index, self._flat[np.arange(len(index)) - first[index] + self._starts[profile][index]]

    def trim(self) -> None:
        """Forget the profiles where there are too many; the segments stay. Numbers of profiles from before are void."""
        if len(self.profiles) >= MAX_PROFILES:
            self._by_key.clear()
            self.profiles.clear()
            self._flat = self._starts = self._lengths = np.empty(0, np.int64)

    def state(self) -> list[tuple[str, str, str]]:
        """The segments in order, for a snapshot."""
        return [(s.service, s.dimension, s.value) for s in self.segments]

    def load(self, state: Iterable[tuple[str, str, str]], overflow: dict[str, int]) -> None:
        """Take over the segments of a snapshot, under the same numbers."""
        self.__init__(self._max_segments, self._max_values)  # type: ignore[misc]  # starting again is what a restore means
        for service, dimension, value in state:
            self._add(Segment(service, dimension, value))
        self.overflow = Counter(overflow)

    def _number_rows(self) -> None:
        new = self.profiles[len(self._starts) :]
        if new:
            lengths = np.array([len(p) for p in new], np.int64)
            starts = len(self._flat) + np.cumsum(lengths) - lengths
            self._starts = np.concatenate((self._starts, starts))
            self._lengths = np.concatenate((self._lengths, lengths))
            self._flat = np.concatenate((self._flat, np.array([s for p in new for s in p], np.int64)))

    def _new_profile(self, key: _Key) -> int:
        service = (key[0] or UNKNOWN_SERVICE)[0]
        numbers = [self._number(service, "", "")]
        for dimension, values in zip(WATCHED, key[1:], strict=True):
            numbers += [self._number(service, dimension, value) for value in dict.fromkeys(values or ())]
        self.profiles.append(tuple(dict.fromkeys(numbers)))
        self._by_key[key] = len(self.profiles) - 1
        return len(self.profiles) - 1

    def _number(self, service: str, dimension: str, value: str) -> int:
        segment = Segment(service, dimension, value)
        known = self._numbers.get(segment)
        if known is not None:
            return known
        bound = self._max_values.get(dimension, DEFAULT_MAX_VALUES)
        full = self._values[service, dimension] >= bound or len(self.segments) >= self._max_segments
        if dimension and value != OTHER and full:
            self.overflow[dimension] += 1
            return self._number(service, dimension, OTHER)
        return self._add(segment)

    def _add(self, segment: Segment) -> int:
        number = len(self.segments)
        self._numbers[segment] = number
        self.segments.append(segment)
        self._values[segment.service, segment.dimension] += 1
        self.app.append(self._numbers.get(Segment(segment.service), number))
        return number
