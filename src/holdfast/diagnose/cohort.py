"""Which conjunction of dimensions explains the failure: likelihood-ratio beam scan, inside against outside.

Method: `O ln((O/E)/g) + O' ln((O'/E')/g) - |S|` over conjunctions S of up to three conditions, where O is the badness observed
inside since onset, E the one expected in health from the other dimensions, primes are outside, g = (O+O')/(E+E'). Divided by the
dispersion (variance over mean) of the metric in health, so that ranks of continuous metrics and flags share one scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from holdfast.diagnose.frame import Bools, Condition, Floats, Frame, Ints

BEAM = 15
DEPTH = 3
PENALTY = 1.5
"""Nats per condition."""
PENALTIES = {"user": 4.0, "language": 3.0, "prompt.version": 1.5, "index.version": 1.5}
"""A user is one of very many, scorers see more in some languages than in others, and a version that has long been there seldom
breaks by itself: these take more to be named.
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
    calls: Bools
    score: float


class CohortScan:
    """One scan.

    Args:
        frame: calls and their conditions.
        targets: what went wrong, most telling first.
        favoured: nats to add for conditions that something else points at (a change's scope or new value).
        least_calls: rows that a cohort must hold.
    """

    def __init__(
        self,
        frame: Frame,
        targets: Sequence[Target],
        favoured: Mapping[Condition, float] | None = None,
        least_calls: int = LEAST_CALLS,
    ) -> None:
        self.frame = frame
        self.least = least_calls
        self.targets = [t for t in targets if len(t.call)]
        self.names = frame.conditions
        self.masks = np.array([frame.mask(c) for c in self.names], dtype=np.bool_).reshape(len(self.names), len(frame))
        self.rows = [self.masks[:, t.call].astype(np.float32) for t in self.targets]
        self.bonus = np.array([(favoured or {}).get(c, 0.0) for c in self.names])
        self.penalty = np.array([PENALTIES.get(c[0], PENALTY) for c in self.names])
        self.random = np.random.default_rng(SEED)

    def run(self) -> Cohort:
        """Scan, then test against shuffles and bootstrap the winner."""
        if not self.targets or not self.names:
            return Cohort()
        found = self._search()
        whole = found[0]
        ranked = sorted(found, key=lambda c: (-c.score, len(c.conditions)))
        best = ranked[0]
        if not best.conditions:
            return Cohort(score=best.score, confidence=self._agreement(ranked, best), rivals=self._told(ranked[1:4]))
        best = self._without_the_inessential(best, found)
        if not self._is_whole(best) and not self._beats_chance(best):
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
        for condition in sorted(best.conditions, key=lambda i: self._rest_share(best, i), reverse=True):
            smaller = known.get(tuple(i for i in best.conditions if i != condition))
            if smaller is None or not smaller.conditions or (self.bonus[condition] >= NEW_VALUE_BONUS):
                continue
            implied = overlap(smaller.calls & self._used, best.calls & self._used) >= 0.97
            if implied or self._rest_share(best, condition) >= REST_SHARE:
                return self._without_the_inessential(smaller, found)
        return best

    def _rest_share(self, best: _Candidate, condition: int) -> float:
        """How much the calls that a condition leaves out exceed the outside, as a share of how much those inside do."""
        parent = np.ones(len(self.frame), dtype=np.bool_)
        for i in best.conditions:
            if i != condition:
                parent &= self.masks[i]
        target = self.targets[0]
        inside, rest = best.calls[target.call], (parent & ~self.masks[condition])[target.call]
        outside = ~parent[target.call]
        if int(rest.sum()) < self.least:
            return 0.0
        healthy = max(3.0, 0.1 * float(target.expected.sum()))
        level = (float(target.observed[outside].sum()) + healthy) / (float(target.expected[outside].sum()) + healthy)
        o, e = float(target.observed[rest].sum()), float(target.expected[rest].sum()) * level
        enough = 0.5 if self.names[condition][0] in UNEVEN else REST_EVIDENCE
        if o <= e or (o * np.log(o / e) - (o - e)) / target.dispersion < enough:
            return 0.0
        top = float(target.observed[inside].sum()) / max(float(target.expected[inside].sum()) * level, 1e-9)
        return (o / e - 1.0) / max(top - 1.0, 1e-9)

    def _told(self, candidates: Sequence[_Candidate]) -> tuple[tuple[dict[str, str], float], ...]:
        return tuple((self._named(c), c.score) for c in candidates)

    def _named(self, candidate: _Candidate) -> dict[str, str]:
        return dict(self.names[i] for i in candidate.conditions)

    @cached_property
    def _used(self) -> Bools:
        used = np.zeros(len(self.frame), dtype=np.bool_)
        for target in self.targets:
            used[target.call] = True
        return used

    def _is_whole(self, candidate: _Candidate) -> bool:
        """Whether (nearly) every call since onset is inside: then only a value that is new can be told from 'everything'."""
        inside = int((candidate.calls & self._used).sum())
        return inside >= 0.97 * int(self._used.sum())

    def _is_new(self, candidate: _Candidate) -> bool:
        """Whether it holds a value that came with the onset: it is told apart by time, which no shuffle of calls can test."""
        return any(self.bonus[i] >= NEW_VALUE_BONUS for i in candidate.conditions)

    def _search(self) -> list[_Candidate]:
        """Every conjunction that the beam looked at, the empty one first."""
        everything = np.ones(len(self.frame), dtype=np.bool_)
        base = float(self._scores(everything[None, :], None)[0])
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
        scores = self._scores(np.array([p.calls for p in parents]), self.rows)
        grown = []
        for parent, row in zip(parents, scores, strict=True):
            for i in np.argsort(-row)[: BEAM * 2].tolist():
                if not np.isfinite(row[i]) or i in parent.conditions or self._same_dimension(parent, i):
                    continue
                conditions = tuple(sorted((*parent.conditions, i)))
                grown.append(_Candidate(conditions, parent.calls & self.masks[i], float(row[i]) + self._prior(conditions)))
        return grown

    def _same_dimension(self, parent: _Candidate, condition: int) -> bool:
        dimension = self.names[condition][0]
        return any(self.names[i][0] == dimension for i in parent.conditions)

    def _prior(self, conditions: tuple[int, ...]) -> float:
        chosen = list(conditions)
        return float(self.bonus[chosen].max(initial=0.0) - self.penalty[chosen].sum())

    def _scores(self, parents: Bools, rows: Sequence[npt.NDArray[np.float32]] | None) -> Floats:
        """LLR in nats of each parent alone (`rows` is None), else of each parent with each condition (parents x conditions)."""
        total: Floats = np.zeros(1)
        for number, target in enumerate(self.targets):
            inside = parents[:, target.call]
            pairs = np.stack([inside * target.observed, inside * target.expected, inside], axis=0).astype(np.float32)
            if rows is None:
                o, e, n = (pairs[k].sum(axis=1).astype(np.float64) for k in range(3))
            else:
                o, e, n = ((pairs[k] @ rows[number].T).astype(np.float64) for k in range(3))
            part = ratio(o, e, float(target.observed.sum()), float(target.expected.sum())) / target.dispersion
            total = total + np.where(n >= self.least, part, -np.inf if number == 0 else 0.0)
        return np.asarray(total / np.sqrt(len(self.targets)), dtype=np.float64)

    def _beats_chance(self, best: _Candidate) -> bool:
        """Whether the best conjunction does better than the best ones of 95 % of shuffles of the target that it explains best."""
        everything = np.ones(len(self.frame), dtype=np.bool_)
        gains = [(self._own(best.calls, t) - self._own(everything, t)) / t.dispersion for t in self.targets]
        number = int(np.argmax(gains))
        target, rows = self.targets[number], self.rows[number]
        if self._is_new(best) and best.calls[target.call].mean() >= 0.97:
            return True
        o_all, e_all = float(target.observed.sum()), float(target.expected.sum())
        score = self._own(best.calls, target)
        orders = np.argsort(self.random.random((SHUFFLES, len(target.call))), axis=1)
        observed, expected = target.observed[orders].astype(np.float32), target.expected[orders].astype(np.float32)
        tops = self._best_of(observed, expected, rows, (o_all, e_all), len(best.conditions))
        return score > float(np.quantile(tops, 0.95))

    @staticmethod
    def _own(calls: Bools, target: Target) -> float:
        """What one target alone says for a set of calls, in nats before dispersion."""
        inside = calls[target.call]
        o, e = target.observed, target.expected
        return float(ratio(o[inside].sum(), e[inside].sum(), o.sum(), e.sum())[()])

    def _best_of(
        self,
        observed: npt.NDArray[np.float32],
        expected: npt.NDArray[np.float32],
        rows: npt.NDArray[np.float32],
        total: tuple[float, float],
        depth: int,
    ) -> Floats:
        """The best score that each shuffle reaches with up to `depth` conditions, grown greedily from its three best ones."""
        count = rows.sum(axis=1)
        one = np.where(count >= self.least, ratio(observed @ rows.T, expected @ rows.T, *total), 0.0)
        tops = one.max(axis=1)
        if depth < 2:
            return np.asarray(tops, dtype=np.float64)
        for rank in range(3):
            parent = rows[np.argsort(-one, axis=1)[:, rank]] if rows.shape[0] > rank else None
            if parent is None:
                break
            two = ratio((observed * parent) @ rows.T, (expected * parent) @ rows.T, *total)
            enough = (parent @ rows.T) >= self.least
            tops = np.maximum(tops, np.where(enough, two, 0.0).max(axis=1))
        return np.asarray(tops, dtype=np.float64)

    def _agreement(self, ranked: Sequence[_Candidate], best: _Candidate) -> float:
        """Share of bootstraps (rows resampled with Poisson weights) in which the winner holds the same calls as `best`."""
        rivals = [best, *(c for c in ranked[:40] if c is not best)]
        score = np.zeros((len(rivals), BOOTSTRAPS))
        for target in self.targets:
            inside = np.array([c.calls[target.call] for c in rivals], dtype=np.float64)
            weights = self.random.poisson(1.0, (len(target.call), BOOTSTRAPS))
            o, e = weights * target.observed[:, None], weights * target.expected[:, None]
            score += ratio(inside @ o, inside @ e, o.sum(axis=0), e.sum(axis=0)) / target.dispersion
        # A resample fits chance as well as the sample does: conditions cost more there, or noise would join each winner.
        prior = [self._prior(c.conditions) - BOOTSTRAP_PENALTY * len(c.conditions) for c in rivals]
        score = score / np.sqrt(len(self.targets)) + np.array(prior)[:, None]
        same = np.array([overlap(c.calls & self._used, best.calls & self._used) >= SAME for c in rivals])
        return float(same[score.argmax(axis=0)].mean())


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
