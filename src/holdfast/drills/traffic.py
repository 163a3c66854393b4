"""`Traffic`: who asks when. Arrivals follow the hour of the week with autocorrelated noise; users and tenants are Zipf."""

import hashlib
from collections.abc import Iterator
from random import Random

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.clock import NS_PER_S
from holdfast.drills.application import Application

REGIONS = ("eu-central-1", "us-east-1", "ap-southeast-2")
LANGUAGES = {"eu-central-1": (("en", 0.5), ("de", 0.28), ("fr", 0.13), ("es", 0.09)), "us-east-1": (("en", 0.9), ("es", 0.1))}
TENANTS = ("alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "ironwood", "juniper", "katsura", "larch")
USERS_PER_TENANT = 250
REPLICAS = 2
NOISE_STEP_S = 600
NOISE_PHI = 0.9


class User(msgspec.Struct, frozen=True):
    """Somebody who asks: language and region do not change from one request to the next."""

    id: str
    tenant: str
    region: str
    language: str


class Request(msgspec.Struct, frozen=True):
    """One request before anything was done about it. `seed` makes everything else about it reproducible."""

    index: int
    seed: int
    time_ns: int
    route: str
    user: User
    replica: str


class Mix(msgspec.Struct, frozen=True):
    """How traffic is composed. A decoy replaces it from a moment on.

    Args:
        tenant_weights, route_weights, language_weights: factors on the usual shares, by tenant, shape of the route, language.
        surge: factor on the rate of arrivals.
    """

    tenant_weights: dict[str, float] = {}
    route_weights: dict[str, float] = {}
    language_weights: dict[str, float] = {}
    surge: float = 1.0


def seed_of(*parts: object) -> int:
    """A 64-bit seed that depends on nothing but `parts` (Python's own hash differs between processes)."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


class Traffic:
    """Requests to one application.

    Args:
        noise_sd: standard deviation of the log rate beside the hour of the week (over-dispersion), autocorrelated.
        mix, later: composition of the traffic, and from `later_ns` on.
    """

    def __init__(
        self, application: Application, seed: int, noise_sd: float = 0.2, later: Mix | None = None, later_ns: int | None = None
    ) -> None:
        self._application = application
        self._seed = seed
        self._noise_sd = noise_sd
        self._later = later or Mix()
        self._later_ns = later_ns
        self._users = _population(application, seed)

    def requests(self, start_ns: int, seconds: float, count: int) -> Iterator[Request]:
        """`count` requests in [start, start + seconds), oldest first."""
        rng = np.random.default_rng(seed_of(self._seed, "arrivals"))
        times = self._arrivals(rng, start_ns, seconds, count)
        split = count if self._later_ns is None else int(np.searchsorted(times, self._later_ns))
        users = self._choose_users(rng, split, Mix()) + self._choose_users(rng, count - split, self._later)
        routes = self._choose_routes(rng, split, Mix()) + self._choose_routes(rng, count - split, self._later)
        replicas = rng.integers(0, REPLICAS, count)
        for index in range(count):
            user = self._users[users[index]]
            yield Request(
                index=index,
                seed=(self._seed << 32) ^ (index * 0x9E3779B1 + 1),
                time_ns=int(times[index]),
                route=routes[index],
                user=user,
                replica=f"{user.region}-{'ab'[replicas[index]]}",
            )

    def _arrivals(self, rng: np.random.Generator, start_ns: int, seconds: float, count: int) -> npt.NDArray[np.int64]:
        """A non-homogeneous Poisson process given its number of events: sorted draws from the cumulated rate."""
        grid = np.linspace(0.0, seconds, max(int(seconds / 60), 2) + 1)
        rate = np.exp(_hour_of_week(start_ns, grid) + self._noise(rng, grid, seconds))
        if self._later_ns is not None:
            rate = np.where(grid >= (self._later_ns - start_ns) / NS_PER_S, rate * self._later.surge, rate)
        cumulated = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2)])
        offsets = np.interp(np.sort(rng.random(count)) * cumulated[-1], cumulated, grid)
        times: npt.NDArray[np.int64] = (start_ns + offsets * NS_PER_S).astype(np.int64)
        return times

    def _noise(self, rng: np.random.Generator, grid: npt.NDArray[np.float64], seconds: float) -> npt.NDArray[np.float64]:
        steps = int(seconds / NOISE_STEP_S) + 2
        shocks = rng.normal(0.0, self._noise_sd * np.sqrt(1 - NOISE_PHI**2), steps)
        level = np.empty(steps)
        level[0] = rng.normal(0.0, self._noise_sd)
        for i in range(1, steps):
            level[i] = NOISE_PHI * level[i - 1] + shocks[i]
        return np.interp(grid, np.arange(steps) * NOISE_STEP_S, level)

    def _choose_users(self, rng: np.random.Generator, count: int, mix: Mix) -> list[int]:
        weights = np.array([_zipf_weight(i) for i in range(len(self._users))])
        factors = [
            mix.tenant_weights.get(user.tenant, 1.0) * mix.language_weights.get(user.language, 1.0) for user in self._users
        ]
        weights *= np.array(factors)
        chosen: list[int] = rng.choice(len(self._users), count, p=weights / weights.sum()).tolist()
        return chosen

    def _choose_routes(self, rng: np.random.Generator, count: int, mix: Mix) -> list[str]:
        routes = self._application.routes
        weights = np.array([route.share * mix.route_weights.get(route.shape, 1.0) for route in routes])
        return [routes[i].path for i in rng.choice(len(routes), count, p=weights / weights.sum())]


def _hour_of_week(start_ns: int, grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log rate by the hour of the week: a trough at night, a lower weekend (Unix day 0 was a Thursday)."""
    seconds = start_ns / NS_PER_S + grid
    hour = seconds / 3600 % 24
    weekend = (seconds // 86400 + 3) % 7 >= 5
    return 0.9 * np.cos((hour - 14) / 24 * 2 * np.pi) - np.where(weekend, 0.5, 0.0)


def _zipf_weight(index: int) -> float:
    tenant, user = divmod(index, USERS_PER_TENANT)
    return float((tenant + 1) ** -1.1 * (user + 1) ** -0.7)


def _population(application: Application, seed: int) -> list[User]:
    rng = Random(seed_of(seed, "population"))
    users = []
    for number, tenant in enumerate(TENANTS):
        home = REGIONS[(number * 2 + number // 5) % len(REGIONS)]
        for i in range(USERS_PER_TENANT):
            region = home if rng.random() < 0.8 else rng.choice(REGIONS)
            languages, weights = zip(*LANGUAGES.get(region, (("en", 1.0),)), strict=True)
            language = rng.choices(languages, weights)[0]
            users.append(User(f"{tenant}-u{i:03d}", tenant, region, language if language in application.articles else "en"))
    return users
