"""Which conjunction of dimensions explains the failure: likelihood-ratio beam scan, inside against outside.

Method: `O ln((O/E)/g) + O' ln((O'/E')/g) - |S|` over conjunctions S of up to three conditions, where O is the badness observed
inside since onset, E the one expected in health from the other dimensions, primes are outside, g = (O+O')/(E+E'). Divided by the
dispersion (variance over mean) of the metric in health, so that ranks of continuous metrics and flags share one scale.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from holdfast.diagnose.frame import Bools, Condition, Floats, Frame, Ints, Singles

BEAM = 15
DEPTH = 3
PENALTY = 1.5
"""Nats per condition."""
PENALTIES = {"user": 4.0, "language": 3.0, "replica": 2.5, "prompt.version": 1.5, "index.version": 1.5}
"""A user is one of very many, scorers see more in some languages than in others, a region with one replica is better known by its
own name, and a version that has long been there seldom breaks by itself: these take more to be named.
"""
UNEVEN = ("language",)
"""Dimensions along which scorers themselves see unevenly: a hint that the others are hurt too is enough."""
LEAST_CALLS = 8
SEED = 20
"""Of shuffles and bootstraps: the same incident gives the same diagnosis."""
SHUFFLES = 60
BOOTSTRAPS = 50
REST_SHARE = 0.15
REST_EVIDENCE = 3.0
"""Nats that the left-out calls must show against the outside before a condition counts as inessential."""
BOOTSTRAP_PENALTY = 2.0
CORNER = 0.5
"""Share of a cohort's score that the wider one without a condition must reach: else that one says far less."""
LEAST_OUTSIDE = 40
PLAIN = 3.5
"""Standard errors from which a change is plain."""
NEARLY = 0.4
"""Share of the harm inside from which the same harm outside is no smaller matter."""
SAME = 0.7
"""Overlap from which two cohorts count as the same one."""
NEW_VALUE_BONUS = 2.0
"""Nats for a value that first appeared with the onset: between equal cohorts the one that changed is the one that explains."""


@dataclass(frozen=True)
class Target:
    """Badness of one metric since onset.

    `call` (n) indexes the frame's calls, `observed` (n) lies in [0, 1], `expected` (n) in (0, 1);
    `dispersion` is variance over mean in health.
    """

    metric: str
    call: Ints
    observed: Floats
    expected: Floats
    dispersion: float = 1.0


@dataclass(frozen=True)
class Cohort:
    """The smallest conjunction that explains the failure; empty where none does better than chance.

    `score` is in nats, `confidence` the share of bootstraps that name the same calls, `explained` whether it beat 95 % of
    shuffles;
    `rivals` are the best other conjunctions with their scores.
    """

    conditions: dict[str, str] = field(default_factory=dict)
    score: float = 0.0
    confidence: float = 0.0
    explained: bool = False
    rivals: tuple[tuple[dict[str, str], float], ...] = ()


@dataclass(frozen=True)
class _Candidate:
    conditions: tuple[int, ...]
    inside: Bools
    """Which profiles."""
    score: float


@dataclass(frozen=True)
class _Sums:
    """A target summed over calls of equal conditions: `observed`, `expected` and `calls` of each profile."""

    target: Target
    profile: Ints
    observed: Singles
    expected: Singles
    calls: Singles

    @classmethod
    def of(cls, target: Target, of_call: Ints, profiles: int) -> "_Sums":
        profile = of_call[target.call]
        sums = (
            np.bincount(profile, weights, profiles).astype(np.float32) for weights in (target.observed, target.expected, None)
        )
        return cls(target, profile, *sums)

    @cached_property
    def total(self) -> tuple[float, float]:
        """Observed and expected over all calls."""
        return float(self.target.observed.sum()), float(self.target.expected.sum())

    @cached_property
    def order(self) -> tuple[Ints, Ints, Ints]:
        """Rows sorted by profile, where each profile present begins among them, and which ones are present."""
        order = np.argsort(self.profile, kind="stable")
        present, first = np.unique(self.profile[order], return_index=True)
        return order, np.asarray(first, dtype=np.int64), np.asarray(present, dtype=np.int64)

    def per_profile(self, rows: Singles) -> Singles:
        """Values of rows in the order of `order` (k x n) summed to profiles (k x profiles present)."""
        return np.asarray(np.add.reduceat(rows, self.order[1], axis=1), dtype=np.float32)


class CohortScan:
    """One scan.

    Args:
        frame: calls and their conditions.
        targets: what went wrong, most telling first.
        favoured: nats to add for conditions that something else points at (a change's scope or new value).
        least_calls: rows that a cohort must hold.
        refused: conditions that no cohort may have.
    """

    def __init__(
        self,
        frame: Frame,
        targets: Sequence[Target],
        favoured: Mapping[Condition, float] | None = None,
        least_calls: int = LEAST_CALLS,
        refused: Collection[Condition] = (),
    ) -> None:
        self.frame = frame
        self.least = least_calls
        self.targets = [t for t in targets if len(t.call)]
        admitted = [i for i, condition in enumerate(frame.conditions) if condition not in refused]
        self.names = [frame.conditions[i] for i in admitted]
        used = np.zeros(len(frame), dtype=np.bool_)
        for target in self.targets:
            used[target.call] = True
        present, number = np.unique(frame.profiles.of_call[used], return_inverse=True)
        of_call = np.zeros(len(frame), dtype=np.int64)
        of_call[used] = number
        self.holds = frame.profiles.holds[admitted][:, present]
        self.rows: Singles = self.holds.astype(np.float32)
        self.sums = [_Sums.of(t, of_call, len(present)) for t in self.targets]
        self.used: Ints = np.bincount(number, minlength=len(present))
        self.bonus = np.array([(favoured or {}).get(c, 0.0) for c in self.names])
        self.penalty = np.array([PENALTIES.get(c[0], PENALTY) for c in self.names])
        self.random = np.random.default_rng(SEED)
        self.resample = True

    def run(self, resample: bool = True, told: Condition | None = None) -> Cohort:
        """Scan, then test against shuffles and bootstrap the winner; without `resample` its confidence is left 0.

        `told` is the condition that a detector named before anybody looked: it was not chosen by chance from many.
        """
        if not self.targets or not self.names:
            return Cohort()
        self.resample = resample
        found = self._search()
        whole = found[0]
        ranked = sorted(found, key=lambda c: (-c.score, len(c.conditions)))
        best = ranked[0]
        if not best.conditions:
            return Cohort(score=best.score, confidence=self._agreement(ranked, best), rivals=self._told(ranked[1:4]))
        best = self._without_the_inessential(best, found)
        alone = told is not None and [self.names[i] for i in best.conditions] == [told]
        if not self._is_whole(best) and not alone and not self._beats_chance(best):
            best = max((c for c in ranked if self._is_whole(c)), key=lambda c: c.score, default=whole)
            if not best.conditions:
                return Cohort(score=whole.score, confidence=self._agreement(ranked, whole), rivals=self._told(ranked[:3]))
        return Cohort(
            conditions=self._named(best),
            score=best.score,
            confidence=self._agreement(ranked, best),
            explained=True,
            rivals=self._told([c for c in ranked if c is not best][:3]),
        )

    def _without_the_inessential(self, best: _Candidate, found: Sequence[_Candidate]) -> _Candidate:
        """Drop conditions that only say where it is worst: what they leave out is hurt too, nearly as much.

        A fault seldom lifts all rates alike, and the likelihood prefers the corner where it lifts them most.
        """
        known = {c.conditions: c for c in found}
        by_rest = sorted(best.conditions, key=lambda i: self._rest_share(best, i), reverse=True)
        for condition in sorted(by_rest, key=lambda i: self.bonus[i] >= NEW_VALUE_BONUS):
            smaller = known.get(tuple(i for i in best.conditions if i != condition))
            if smaller is None or not smaller.conditions or smaller.score < CORNER * best.score:
                continue
            implied = self._overlap(smaller, best) >= 0.97
            new = self.bonus[condition] >= NEW_VALUE_BONUS
            if implied or (not new and self._rest_share(best, condition) >= REST_SHARE):
                return self._without_the_inessential(smaller, found)
        return best

    def _rest_share(self, best: _Candidate, condition: int) -> float:
        """How much the calls that a condition leaves out exceed the outside, as a share of how much those inside do."""
        parent = np.ones(len(self.used), dtype=np.bool_)
        for i in best.conditions:
            if i != condition:
                parent &= self.holds[i]
        sums = self.sums[0]
        inside, rest, outside = best.inside, parent & ~self.holds[condition], ~parent
        if int(sums.calls[rest].sum()) < self.least:
            return 0.0
        healthy = max(3.0, 0.1 * sums.total[1])
        level = (float(sums.observed[outside].sum()) + healthy) / (float(sums.expected[outside].sum()) + healthy)
        o, e = float(sums.observed[rest].sum()), float(sums.expected[rest].sum()) * level
        enough = 0.5 if self.names[condition][0] in UNEVEN else REST_EVIDENCE
        if o <= e or (o * np.log(o / e) - (o - e)) / sums.target.dispersion < enough:
            return 0.0
        top = float(sums.observed[inside].sum()) / max(float(sums.expected[inside].sum()) * level, 1e-9)
        return (o / e - 1.0) / max(top - 1.0, 1e-9)

    def _told(self, candidates: Sequence[_Candidate]) -> tuple[tuple[dict[str, str], float], ...]:
        return tuple((self._named(c), c.score) for c in candidates)

    def _named(self, candidate: _Candidate) -> dict[str, str]:
        return dict(self.names[i] for i in candidate.conditions)

    def _overlap(self, one: _Candidate, other: _Candidate) -> float:
        """Jaccard index of the scored calls of two candidates."""
        either = int(self.used[one.inside | other.inside].sum())
        return int(self.used[one.inside & other.inside].sum()) / either if either else 1.0

    def _is_whole(self, candidate: _Candidate) -> bool:
        """Whether (nearly) every call since onset is inside: then only a value that is new can be told from 'everything'."""
        return int(self.used[candidate.inside].sum()) >= 0.97 * int(self.used.sum())

    def _is_new(self, candidate: _Candidate) -> bool:
        """Whether it holds a value that came with the onset: it is told apart by time, which no shuffle of calls can test."""
        return any(self.bonus[i] >= NEW_VALUE_BONUS for i in candidate.conditions)

    def _search(self) -> list[_Candidate]:
        """Every conjunction that the beam looked at, the empty one first."""
        everything = np.ones(len(self.used), dtype=np.bool_)
        base = float(self._scores(everything[None, :], alone=True)[0])
        found: dict[tuple[int, ...], _Candidate] = {(): _Candidate((), everything, base)}
        parents = [found[()]]
        for _ in range(DEPTH):
            grown = self._grow(parents)
            fresh = {c.conditions: c for c in grown if c.conditions not in found}
            parents = sorted(fresh.values(), key=lambda c: -c.score)[:BEAM]
            if not parents:
                break
            found |= {c.conditions: c for c in parents}
        return list(found.values())

    def _grow(self, parents: Sequence[_Candidate]) -> list[_Candidate]:
        scores = self._scores(np.array([p.inside for p in parents]))
        grown = []
        for parent, row in zip(parents, scores, strict=True):
            for i in np.argsort(-row)[: BEAM * 2].tolist():
                if not np.isfinite(row[i]) or i in parent.conditions or self._same_dimension(parent, i):
                    continue
                conditions = tuple(sorted((*parent.conditions, i)))
                grown.append(_Candidate(conditions, parent.inside & self.holds[i], float(row[i]) + self._prior(conditions)))
        return grown

    def _same_dimension(self, parent: _Candidate, condition: int) -> bool:
        dimension = self.names[condition][0]
        return any(self.names[i][0] == dimension for i in parent.conditions)

    def _prior(self, conditions: tuple[int, ...]) -> float:
        chosen = list(conditions)
        return float(self.bonus[chosen].max(initial=0.0) - self.penalty[chosen].sum())

    def _scores(self, parents: Bools, alone: bool = False) -> Floats:
        """LLR in nats of each parent (a mask over profiles) with each condition (parents x conditions), or of each `alone`."""
        total: Floats = np.zeros(1)
        each = np.concatenate([parents * kind for s in self.sums for kind in (s.observed, s.expected, s.calls)])
        inside = (each.sum(axis=1) if alone else each @ self.rows.T).astype(np.float64)
        inside = inside.reshape(len(self.sums), 3, len(parents), *inside.shape[1:])
        for number, (sums, (o, e, n)) in enumerate(zip(self.sums, inside, strict=True)):
            part = ratio(o, e, *sums.total) / sums.target.dispersion
            total = total + np.where(n >= self.least, part, -np.inf if number == 0 else 0.0)
        return np.asarray(total / np.sqrt(len(self.sums)), dtype=np.float64)

    def _beats_chance(self, best: _Candidate) -> bool:
        """Whether the best conjunction does better than the best ones of 95 % of shuffles of the target that it explains best."""
        everything = np.ones(len(self.used), dtype=np.bool_)
        gains = [(_own(best.inside, s) - _own(everything, s)) / s.target.dispersion for s in self.sums]
        sums = self.sums[int(np.argmax(gains))]
        if self._is_new(best) and float(sums.calls[best.inside].sum()) >= 0.97 * float(sums.calls.sum()):
            return True
        orders = self.random.permuted(np.tile(np.arange(len(sums.profile)), (SHUFFLES, 1)), axis=1)
        observed = sums.per_profile(sums.target.observed.astype(np.float32)[orders])
        expected = sums.per_profile(sums.target.expected.astype(np.float32)[orders])
        return _own(best.inside, sums) > float(np.quantile(self._best_of(observed, expected, sums, len(best.conditions)), 0.95))

    def _best_of(self, observed: Singles, expected: Singles, sums: _Sums, depth: int) -> Floats:
        """The best score that each shuffle reaches with up to `depth` conditions, grown greedily from its three best ones."""
        rows = self.rows[:, sums.order[2]]
        calls = sums.calls[sums.order[2]]
        one = np.where(rows @ calls >= self.least, ratio(observed @ rows.T, expected @ rows.T, *sums.total), 0.0)
        tops = one.max(axis=1)
        ranked = np.argsort(-one, axis=1)[:, :3] if depth > 1 else np.zeros((len(one), 0), dtype=np.int64)
        for rank in range(ranked.shape[1]):
            parent = rows[ranked[:, rank]]
            two = ratio((observed * parent) @ rows.T, (expected * parent) @ rows.T, *sums.total)
            enough = ((calls * parent) @ rows.T) >= self.least
            tops = np.maximum(tops, np.where(enough, two, 0.0).max(axis=1))
        return np.asarray(tops, dtype=np.float64)

    def _agreement(self, ranked: Sequence[_Candidate], best: _Candidate) -> float:
        """Share of bootstraps (rows resampled with Poisson weights) in which the winner holds the same calls as `best`."""
        if not self.resample:
            return 0.0
        rivals = [best, *(c for c in ranked[:40] if c is not best)]
        masks = np.array([c.inside for c in rivals], dtype=np.float32)
        score = np.zeros((len(rivals), BOOTSTRAPS))
        for sums in self.sums:
            order, _, present = sums.order
            weights = POISSON[self.random.integers(0, POISSON.size, (BOOTSTRAPS, order.size), dtype=np.uint16)]
            o = sums.per_profile(weights * sums.target.observed[order].astype(np.float32))
            e = sums.per_profile(weights * sums.target.expected[order].astype(np.float32))
            inside = masks[:, present]
            score += ratio(inside @ o.T, inside @ e.T, o.sum(axis=1), e.sum(axis=1)) / sums.target.dispersion
        # A resample fits chance as well as the sample does: conditions cost more there, or noise would join each winner.
        prior = [self._prior(c.conditions) - BOOTSTRAP_PENALTY * len(c.conditions) for c in rivals]
        score = score / np.sqrt(len(self.sums)) + np.array(prior)[:, None]
        same = np.array([self._overlap(c, best) >= SAME for c in rivals])
        return float(same[score.argmax(axis=0)].mean())


def everywhere(target: Target, inside: Bools) -> bool:
    """Whether calls outside a cohort got worse, too, by more than chance and nearly as much: then it only alarmed first.

    Args:
        target: what failed.
        inside: which of the frame's calls are in the cohort.
    """
    own = inside[target.call]
    if min(int(own.sum()), int((~own).sum())) < LEAST_OUTSIDE:
        return False
    excess = target.observed - target.expected
    others = excess[~own]
    error = float(np.sqrt(others.var() / others.size))
    return bool(others.mean() > PLAIN * error and others.mean() >= NEARLY * excess[own].mean())


def _own(inside: Bools, sums: _Sums) -> float:
    """What one target alone says for a set of profiles, in nats before dispersion."""
    return float(ratio(sums.observed[inside].sum(), sums.expected[inside].sum(), *sums.total)[()])


def _poisson_table(size: int = 1 << 16) -> Singles:
    """Quantiles of a Poisson distribution with mean 1 at the middle of `size` equal slices of probability."""
    q, k, found = np.exp(-1.0), 0, np.zeros(size, dtype=np.float32)
    middle, upper = (np.arange(size) + 0.5) / size, np.exp(-1.0)
    while float(middle[-1]) >= upper:
        k += 1
        found[middle >= upper] = k
        q /= k
        upper += q
    return found


POISSON = _poisson_table()


def ratio(observed: npt.ArrayLike, expected: npt.ArrayLike, observed_all: npt.ArrayLike, expected_all: npt.ArrayLike) -> Floats:
    """LLR in nats of inside against outside; 0 where the inside is no worse than the outside.

    A tenth of all expected badness, at least three calls' worth, is added to the outside as healthy, so that a cohort that is
    everybody can be scored too.
    """
    o, e = np.asarray(observed, dtype=np.float64), np.maximum(np.asarray(expected, dtype=np.float64), 1e-9)
    healthy = np.maximum(3.0, 0.1 * np.asarray(expected_all, dtype=np.float64))
    o_out = np.maximum(np.asarray(observed_all, dtype=np.float64) - o, 0.0) + healthy
    e_out = np.maximum(np.asarray(expected_all, dtype=np.float64) - e, 0.0) + healthy
    g = (o + o_out) / (e + e_out)
    value = o * np.log(np.maximum(o / e, 1e-12) / g) + o_out * np.log(o_out / e_out / g)
    return np.where(o / e > o_out / e_out, value, 0.0)


def overlap(one: Bools, other: Bools) -> float:
    """Jaccard index of two sets of calls, in [0, 1]."""
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else 1.0
