"""The index of segments: which streams a call belongs to, by number, bounded in number."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.call import DIMENSIONS, MACHINES, Dimensions
from holdfast.core.signal import Segment
from holdfast.detect.policy import JUDGED_AT_ONCE

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WATCHED = tuple(d for d in DIMENSIONS if d not in ("service.name", "user", *MACHINES))
"""Dimensions of which every value is a segment. Users are too many: they are watched where they misbehave.
Machines are asked about where a failure is diagnosed.
"""

ROUTE = "route"
OTHER = "other"
DEFAULT_MAX_VALUES = 100
MAX_PROFILES = 20_000
UNKNOWN_SERVICE = ("unknown_service",)
RELEASED = Segment("", "user", "")
"""What a number stands for that no segment has: a user of no application."""

_KEYS = ("service.name", *WATCHED)
_NUMBERS = {dimension: number for number, dimension in enumerate(DIMENSIONS)}
_Key = tuple[tuple[str, ...] | None, ...]


class SegmentArrays:
    """What is known of S segments, by number: as of when they were made."""

    def __init__(self, segments: Sequence[Segment], app: Sequence[int], twins: Collection[int]) -> None:
        self.app: Ints = np.array(app, np.int64)
        self.twin: Bools = np.zeros(len(app), np.bool_)
        self.twin[[*twins]] = True
        self.dimension: Ints = np.array([_NUMBERS.get(segment.dimension, -1) for segment in segments], np.int64)
        """By `DIMENSIONS`; −1 of a whole application."""


class SegmentIndex:
    """Numbers segments and profiles. A profile is the set of segments that a call with given dimensions belongs to.

    `twins` says of segments without streams of their own which segment has the same traffic. `home` is the only route of a
    version, tool or document source, as long as it has only one; `moved` are those that lost theirs since somebody last asked.

    Values beyond the bounds of their dimension, or of `max_segments` in all, are counted in `overflow` and become `other`;
    so do applications, under the name `service.name`. `last_ns` says when each segment was last seen. Numbers that were given
    back by `release` stand for `RELEASED` until they are used again.
    """

    def __init__(self, max_segments: int, max_values: dict[str, int]) -> None:
        self._max_segments = max_segments
        self._max_values = max_values
        self.segments: list[Segment] = []
        self.app: list[int] = []
        self.overflow: Counter[str] = Counter()
        self.twins: dict[int, int] = {}
        self.home: dict[int, int] = {}
        self.moved: list[int] = []
        self.last_ns: list[int] = []
        self._free: list[int] = []
        self._numbers: dict[Segment, int] = {}
        self._users: dict[tuple[int, str], int] = {}
        self._values: Counter[tuple[str, str]] = Counter()
        self.profiles: list[tuple[int, ...]] = []
        self._by_key: dict[_Key, int] = {}
        self._flat: Ints = np.empty(0, np.int64)
        self._starts: Ints = np.empty(0, np.int64)
        self._lengths: Ints = np.empty(0, np.int64)
        self._services: Ints = np.empty(0, np.int64)
        self._arrays: SegmentArrays | None = None

    @property
    def arrays(self) -> SegmentArrays:
        """The segments as arrays, as of now."""
        if self._arrays is None:
            self._arrays = SegmentArrays(self.segments, self.app, self.twins)
        return self._arrays

    def profile(self, dimensions: Dimensions) -> int:
        """Number of the profile of a call with these dimensions."""
        return self.profiles_of([dimensions])[0]

    def profiles_of(self, dimensions: Sequence[Dimensions]) -> list[int]:
        """The same of many calls (N)."""
        keys: list[_Key] = [*zip(*[[values.get(key) for values in dimensions] for key in _KEYS], strict=True)]
        return [self._new_profile(key) if (known := self._by_key.get(key)) is None else known for key in keys]

    def service_of(self, profile: int) -> int:
        """Segment number of the whole application that a profile belongs to."""
        return self.profiles[profile][0]

    def services_of(self, profile: Ints) -> Ints:
        """The same for many profiles (N)."""
        self._number_rows()
        return self._services[profile]

    def user(self, app: int, user: str) -> int:
        """Segment number of one user of an application."""
        number = self._number(self.segments[app].service, "user", user)
        if self.segments[number].value == user:
            self._users[app, user] = number
        return number

    def find_user(self, app: int, user: str) -> int:
        """Segment number of one user, −1 where that user is not watched."""
        return self._users.get((app, user), -1)

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

    def values_of(self, profiles: Sequence[tuple[int, ...]], dimensions: tuple[str, ...]) -> Ints:
        """For each set of segments (N) the first segment of each dimension (D), −1 where it has none: shape N × D."""
        known = {profile: self._first_values(profile, dimensions) for profile in set(profiles)}
        return np.array([known[profile] for profile in profiles], np.int64).reshape(len(profiles), len(dimensions))

    def _first_values(self, profile: tuple[int, ...], dimensions: tuple[str, ...]) -> list[int]:
        by_dimension = {self.segments[segment].dimension: segment for segment in reversed(profile)}
        return [by_dimension.get(dimension, -1) for dimension in dimensions]

    def trim(self) -> None:
        """Forget the profiles where there are too many; the segments stay. Numbers of profiles from before are void."""
        if len(self.profiles) >= MAX_PROFILES:
            self._forget_profiles()

    def _forget_profiles(self) -> None:
        self._by_key.clear()
        self.profiles.clear()
        self._flat = self._starts = self._lengths = self._services = np.empty(0, np.int64)

    def saw(self, segments: Mapping[int, int]) -> None:
        """Calls of these segments came, when event time had come so far (ns)."""
        last_ns = self.last_ns
        for segment, time_ns in segments.items():
            if last_ns[segment] < time_ns:
                last_ns[segment] = time_ns

    @property
    def full(self) -> bool:
        """Whether there is no room for a further segment."""
        return len(self.segments) - len(self._free) >= self._max_segments

    def release(self, numbers: Collection[int]) -> None:
        """Forget these segments, none of them a whole application: others will get their numbers.

        Numbers of profiles from before are void.
        """
        for number in numbers:
            segment = self.segments[number]
            del self._numbers[segment]
            self._values[segment.service, segment.dimension] -= 1
            self.segments[number], self.app[number], self.last_ns[number] = RELEASED, number, 0
            self.home.pop(number, None)
            self.twins.pop(number, None)
        self._users = {key: number for key, number in self._users.items() if number not in numbers}
        self.moved = [number for number in self.moved if number not in numbers]
        self._free = sorted((*self._free, *numbers), reverse=True)
        self._arrays = None
        self._forget_profiles()

    def state(self) -> "IndexState":
        """For a snapshot."""
        return IndexState(self.segments, dict(self.overflow), self.twins, self.home, self.moved, self.last_ns)

    def load(self, state: "IndexState") -> None:
        """Take over the segments of a snapshot, under the same numbers."""
        self.__init__(self._max_segments, self._max_values)  # type: ignore[misc]  # starting again is what a restore means
        for number, segment in enumerate(state.segments):
            if segment == RELEASED:
                self.segments.append(segment)
                self.app.append(number)
                self.last_ns.append(0)
                self._free.insert(0, number)
            else:
                self._append(segment)
        # The application of a segment that has the number of an older one may come after it.
        self.app = [n if s == RELEASED else self._numbers[Segment(s.service)] for n, s in enumerate(self.segments)]
        self._users = {(self.app[n], s.value): n for n, s in enumerate(self.segments) if s.dimension == "user" and s != RELEASED}
        self.last_ns = state.last_ns
        self.overflow = Counter(state.overflow)
        self.twins, self.home, self.moved = state.twins, state.home, state.moved
        self._arrays = None

    def pair(self, twins: dict[int, int]) -> None:
        """From now on these segments have no observations of their own."""
        if twins != self.twins:
            self.twins, self._arrays = twins, None
            self._flat = self._starts = self._lengths = self._services = np.empty(0, np.int64)

    def _number_rows(self) -> None:
        new = self.profiles[len(self._starts) :]
        if new:
            self._services = np.concatenate((self._services, np.array([profile[0] for profile in new], np.int64)))
            new = [tuple([s for s in profile if s not in self.twins]) for profile in new]
            lengths = np.array([len(p) for p in new], np.int64)
            starts = len(self._flat) + np.cumsum(lengths) - lengths
            self._starts = np.concatenate((self._starts, starts))
            self._lengths = np.concatenate((self._lengths, lengths))
            self._flat = np.concatenate((self._flat, np.array([s for p in new for s in p], np.int64)))

    def _new_profile(self, key: _Key) -> int:
        service = self._service((key[0] or UNKNOWN_SERVICE)[0])
        numbers = [self._number(service, "", "")]
        for dimension, values in zip(WATCHED, key[1:], strict=True):
            numbers += [self._number(service, dimension, value) for value in dict.fromkeys(values or ())]
        self._settle_in(numbers)
        self.profiles.append(tuple(dict.fromkeys(numbers)))
        self._by_key[key] = len(self.profiles) - 1
        return len(self.profiles) - 1

    def _service(self, service: str) -> str:
        """The application that this one is counted under."""
        if Segment(service) in self._numbers or not self.full:
            return service
        self.overflow["service.name"] += 1
        return OTHER

    def _settle_in(self, numbers: list[int]) -> None:
        """Note on which routes versions, tools and document sources are met."""
        route = next((n for n in numbers if self.segments[n].dimension == ROUTE), numbers[0])
        for number in numbers:
            if self.segments[number].dimension in JUDGED_AT_ONCE and self.home.setdefault(number, route) not in (
                route,
                numbers[0],
            ):
                self.home[number] = numbers[0]
                self.moved.append(number)

    def _number(self, service: str, dimension: str, value: str) -> int:
        segment = Segment(service, dimension, value)
        known = self._numbers.get(segment)
        if known is not None:
            return known
        bound = self._max_values.get(dimension, DEFAULT_MAX_VALUES)
        full = self._values[service, dimension] >= bound or self.full
        if dimension and value != OTHER and full:
            self.overflow[dimension] += 1
            return self._number(service, dimension, OTHER)
        return self._add(segment)

    def _add(self, segment: Segment) -> int:
        if not self._free:
            return self._append(segment)
        number = self._free.pop()
        self._enter(number, segment)
        return number

    def _append(self, segment: Segment) -> int:
        number = len(self.segments)
        self.segments.append(segment)
        self.app.append(number)
        self.last_ns.append(0)
        self._enter(number, segment)
        return number

    def _enter(self, number: int, segment: Segment) -> None:
        self._numbers[segment], self.segments[number], self._arrays = number, segment, None
        self._values[segment.service, segment.dimension] += 1
        self.app[number] = self._numbers.get(Segment(segment.service), number)


class IndexState(msgspec.Struct):
    """What of an index must survive a restart."""

    segments: list[Segment]
    overflow: dict[str, int]
    twins: dict[int, int]
    home: dict[int, int]
    moved: list[int]
    last_ns: list[int]
