"""Who attacks: a campaign is the work of a few users, and they are named one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.core.diagnosis import Attacker
from holdfast.diagnose.badness import Watched
from holdfast.diagnose.cohort import Cohort, overlap
from holdfast.diagnose.frame import Bools, Floats, Frame, Ints

ATTACKS = ("prompt_injection", "unsafe_request")
"""Metrics of what users send, in [0, 1]."""
LIKELY, SURE = 0.5, 0.9
"""Scores from which a request is rather an attack than not, and from which there is no doubt."""
LEAST_ATTACKS = 3
MOST_ATTACKERS, MOST_NAMED = 50, 10
ROUNDS = 30
BELIEVED = 0.9
"""Probability from which a user is accused."""
MOST = 0.5
"""Share of the harm since onset from which it is theirs."""
LEAST_RATE = 1e-4


@dataclass(frozen=True)
class Campaign:
    """The attackers, who attacked most first, and which of the frame's calls are theirs."""

    attackers: tuple[Attacker, ...]
    inside: Bools


def campaign(frame: Frame, watched: Sequence[Watched]) -> Campaign | None:
    """The users who attack since onset, where most of the attacks and of the leading failure are theirs; else None.

    Args:
        frame: calls, split at the onset.
        watched: the failing metrics, the leading one first; without one of `ATTACKS` among them nobody is accused.
    """
    failing = [w.column.metric for w in watched if w.column.metric in ATTACKS]
    users, of_call = frame.numbered("user")
    if not failing or not users:
        return None
    requests = _requests(frame, failing, of_call)
    guilty = requests.guilty(len(users))
    theirs = int((requests.late & requests.hit & guilty[requests.user]).sum())
    if theirs < max(LEAST_ATTACKS, MOST * requests.beyond()):
        return None
    inside = np.append(guilty, False)[of_call]
    if not _is_theirs(watched[0], frame, inside):
        return None
    found = [_attacker(users[number], requests, number) for number in np.flatnonzero(guilty).tolist()]
    ranked = sorted(found, key=lambda one: (-one.attacks, one.first_ns, one.user))
    return Campaign(tuple(ranked[:MOST_ATTACKERS]), inside)


def cohort_of(found: Campaign, frame: Frame, scanned: Cohort) -> tuple[Cohort, Bools]:
    """The cohort of a campaign and its calls: the attacker, where there is one; what the scan named, where that is about as
    many calls as the attackers'; else no conditions, for it is just they.
    """
    if len(found.attackers) == 1:
        named = Cohort({"user": found.attackers[0].user}, scanned.score, scanned.confidence, True)
        return named, frame.cohort(named.conditions)
    calls = frame.cohort(scanned.conditions)
    if scanned.conditions and overlap(calls & frame.after, found.inside & frame.after) >= MOST:
        return scanned, calls
    return Cohort(), found.inside


def in_words(attackers: Sequence[Attacker]) -> str:
    """Such as ``users u7, u9 and u12``, the first ten by name."""
    names = [one.user for one in attackers[:MOST_NAMED]]
    more = len(attackers) - len(names)
    last = f"{more} more" if more else names.pop()
    return f"user{'s' if len(attackers) > 1 else ''} " + (f"{', '.join(names)} and {last}" if names else last)


@dataclass(frozen=True)
class _Requests:
    """Requests of known users, once each: its user, when, whether since onset, and whether it is an attack."""

    user: Ints
    time_ns: Ints
    late: Bools
    hit: Bools

    def usual(self) -> float:
        """Share of attacks before onset, above 0."""
        before = ~self.late
        return max((float(self.hit[before].sum()) + 0.5) / (float(before.sum()) + 1.0), LEAST_RATE)

    def beyond(self) -> float:
        """Attacks since onset beyond those that there would have been as before."""
        return float((self.late & self.hit).sum()) - self.usual() * float(self.late.sum())

    def guilty(self, users: int) -> Bools:
        """Which users attack: a mixture of those who do and of all others, who seem to now and then, at least as before onset.

        Two binomials by expectation-maximisation (Dempster, Laird and Rubin 1977).
        """
        usual = least = self.usual()
        asked = np.bincount(self.user[self.late], minlength=users).astype(np.float64)
        hits = np.bincount(self.user[self.late & self.hit], minlength=users).astype(np.float64)
        active = asked > 0
        rate, share = 0.5, min(max(float((hits > 0).sum()), 1.0) / max(float(active.sum()), 1.0), 0.5)
        belief: Floats = np.zeros(users)
        for _ in range(ROUNDS):
            odds = hits * np.log(rate / usual) + (asked - hits) * np.log((1 - rate) / (1 - usual)) + np.log(share / (1 - share))
            belief = np.where(active, 1 / (1 + np.exp(-np.clip(odds, -500.0, 500.0))), 0.0)
            others = active - belief
            usual = min(max(float(others @ hits) / max(float(others @ asked), 1.0), least), 0.5)
            rate = float((belief @ hits + 0.5) / (belief @ asked + 1.0))
            rate = min(max(rate, min(10 * usual, 0.6)), 0.99)
            share = min(max(float(belief.sum() / active.sum()), 1e-6), 0.5)
        return np.asarray((belief >= BELIEVED) & (hits > 0), dtype=np.bool_)


def _requests(frame: Frame, metrics: Sequence[str], of_call: Ints) -> _Requests:
    """Beyond doubt, where there are that many; else what is rather an attack than not."""
    numbers: dict[str, int] = {}
    traces = np.fromiter((numbers.setdefault(trace, len(numbers)) for trace in frame.traces), np.int64, len(frame))
    worst = np.full(len(numbers), -1.0)
    user, time_ns = np.full(len(numbers), -1), np.zeros(len(numbers), np.int64)
    for metric in metrics:
        column = frame.columns[metric]
        at = traces[column.call]
        np.maximum.at(worst, at, column.value)
        user[at], time_ns[at] = of_call[column.call], column.time_ns
    known = (worst >= 0) & (user >= 0)
    worst, user, time_ns = worst[known], user[known], time_ns[known]
    late = time_ns >= frame.onset_ns
    limit = SURE if int((late & (worst >= SURE)).sum()) >= LEAST_ATTACKS else LIKELY
    return _Requests(user, time_ns, late, worst >= limit)


def _is_theirs(leading: Watched, frame: Frame, inside: Bools) -> bool:
    """Whether most of what the leading metric has beyond the expected since onset is in these calls."""
    late, own = frame.after[leading.column.call], inside[leading.column.call]
    excess = leading.observed - leading.expected
    return float(excess[late & own].sum()) >= MOST * max(float(excess[late].sum()), 0.0)


def _attacker(user: str, requests: _Requests, number: int) -> Attacker:
    own = requests.user == number
    attacks = requests.time_ns[own & requests.hit & requests.late]
    return Attacker(
        user=user,
        attacks=int(attacks.size),
        requests=int((own & requests.late).sum()),
        first_ns=int(attacks.min()),
        last_ns=int(attacks.max()),
        new=not bool((own & ~requests.late).any()),
    )
