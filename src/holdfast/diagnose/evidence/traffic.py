"""Traffic: who asks what, and whether it is a few who do."""

import numpy as np
from scipy.special import gammainc

from holdfast.diagnose.evidence.composite import Composite, Derived, Scene, move_step, presence, share_step
from holdfast.diagnose.frame import Column, Floats, Frame, Ints
from holdfast.diagnose.moves import Step, arrived, measured

LEAST_CALLS = 20
LEAST_SUSPICIOUS = 5
LIKELY, SURE = 0.5, 0.9
"""Scores from which a request is rather an attack than not, and from which there is no doubt."""
BY_CHANCE = 0.001
"""Probability under which what few users did is no coincidence: every diagnosis looks."""
ASKERS = ("user", "tenant", "language")
"""Dimensions that say who asks, not what answers."""
LEAST_GAP = 0.08
"""Difference of rates between long and other inputs that is worth telling."""


def volume(scene: Scene) -> tuple[Step, str] | None:
    """Calls of the cohort per hour since onset against before."""
    frame = scene.frame
    if len(frame) == 0 or not frame.after.any() or not bool((scene.healthy > 0)[scene.inside].any()):
        return None
    first, last = int(frame.time_ns.min()), int(frame.time_ns.max())
    early_h, late_h = (frame.onset_ns - first) / 3.6e12, (last - frame.onset_ns) / 3.6e12
    before, since = int((scene.inside & ~frame.after).sum()), int((scene.inside & frame.after).sum())
    if before < LEAST_CALLS or since < LEAST_CALLS or early_h <= 0 or late_h <= 0:
        return None
    share = (since / late_h) / (before / early_h)
    text = f"{since / late_h:.0f} calls an hour, before {before / early_h:.0f}"
    # Hours of a day differ: only a doubling or a halving is more than that.
    return (share_step(share, before) if share > 2.0 or share < 0.4 else Step.FLAT), text


def newcomers(scene: Scene) -> tuple[Step, str] | None:
    """Whether the cohort are users, tenants or speakers of a language who were not there before: nothing they had has broken."""
    who = [f"{dimension}={value}" for dimension, value in scene.cohort.items() if dimension in ASKERS]
    if not who:
        return None
    if not arrived(scene.frame, scene.inside):
        return Step.FLAT, f"{' and '.join(who)} called before, too"
    return Step.SURGE, f"{' and '.join(who)} hardly called before"


def concentration(scene: Scene) -> tuple[Step, str] | None:
    """Whether the suspicious requests since onset come from very few users, more than chance and how much each asks explain.

    Chance is judged by pairs of one user among them: with p the share of each user of all requests, m requests have about
    Poisson(m (m - 1) / 2 * sum p²) of those (birthday problem). Three users always sent half of six.
    """
    column = scene.frame.columns.get("prompt_injection")
    users, of_call = scene.frame.numbered("user")
    if column is None or not users:
        return None
    since = scene.frame.after[column.call]
    asked, sure = column.call[since], _one_a_trace(scene.frame, column.call[since & (column.value >= SURE)])
    likely = _one_a_trace(scene.frame, column.call[since & (column.value >= LIKELY)])
    requests = sure if sure.size >= LEAST_SUSPICIOUS else likely
    if requests.size < LEAST_SUSPICIOUS:
        return None
    # Nobody is number -1, and no user.
    counts, shares = (np.sort(np.bincount(of_call[calls] + 1, minlength=len(users) + 1)[1:])[::-1] for calls in (requests, asked))
    usual = shares / asked.size
    share, everyone = float(counts[:3].sum()) / requests.size, float(usual[:3].sum())
    text = f"three users sent {share:.0%} of {requests.size} suspicious requests"
    pairs, expected = float((counts * (counts - 1)).sum()) / 2, requests.size * (requests.size - 1) / 2 * float((usual**2).sum())
    if pairs < 1 or float(gammainc(pairs, expected)) > BY_CHANCE:
        return Step.FLAT, text
    if share >= 0.5 and share > 3 * everyone:
        return Step.SURGE, text
    return (Step.RISE if share >= 0.3 and share > 2 * everyone else Step.FLAT), text


def attacks(scene: Scene) -> tuple[Step, str] | None:
    """How many requests are attacks beyond doubt, where users may talk of attacks all day."""
    column = scene.frame.columns.get("prompt_injection")
    if column is None:
        return None
    sure = Column(column.metric, column.call, column.time_ns, (column.value >= SURE).astype(np.float64))
    return move_step(measured(scene.frame, sure, None, scene.inside, scene.healthy))


def _one_a_trace(frame: Frame, calls: Ints) -> Ints:
    """The first of these calls of each trace: a request that is scored in several of its calls was asked once."""
    first: dict[str, int] = {}
    for call in calls.tolist():
        first.setdefault(frame.traces[call], call)
    return np.array(list(first.values()), dtype=np.int64)


def long_inputs(scene: Scene) -> tuple[Step, str] | None:
    """Whether requests with the longest third of inputs fare worse than the rest, more than they did before."""
    tokens = scene.frame.columns.get("input_tokens")
    if tokens is None:
        return None
    size = np.full(len(scene.frame), np.nan)
    size[tokens.call] = tokens.value
    best: tuple[float, str] | None = None
    for name in ("ungrounded_answer", "error", "truncation", "answer_irrelevance", "context_gap"):
        column = scene.frame.columns.get(name)
        if column is None:
            continue
        known = ~np.isnan(size[column.call]) & scene.inside[column.call]
        late = scene.frame.after[column.call] & known
        if int(late.sum()) < 3 * LEAST_CALLS:
            continue
        limit = float(np.quantile(size[column.call[late]], 2 / 3))
        long = size[column.call] > limit
        a, b = column.value[late & long], column.value[late & ~long]
        if min(a.size, b.size) < LEAST_CALLS:
            continue
        error = float(np.sqrt(max(float(a.var()), 1e-3) / a.size + max(float(b.var()), 1e-3) / b.size))
        early = ~scene.frame.after[column.call] & known
        old = _difference(column.value[early & long], column.value[early & ~long])
        gap = float(a.mean() - b.mean()) - old
        z = gap / error if gap >= LEAST_GAP else 0.0
        if best is None or z > best[0]:
            best = z, f"{name} {a.mean():.1%} where the input is long, {b.mean():.1%} elsewhere"
    if best is None:
        return None
    return (Step.SURGE if best[0] > 6 else Step.RISE if best[0] > 3.5 else Step.FLAT), best[1]


def _difference(a: Floats, b: Floats) -> float:
    return float(a.mean() - b.mean()) if min(a.size, b.size) >= LEAST_CALLS else 0.0


COMPOSITES = (
    Composite(
        "injection", "Users try to override instructions", "Fewer users try to override instructions", ("prompt_injection",)
    ),
    Derived("attacks", "More requests are attacks beyond doubt", attacks),
    Composite("secrets", "Users paste secrets", "Users paste fewer secrets", ("secrets_in_prompt",)),
    Derived("concentration", "Few users are behind it", concentration),
    Derived("newcomers", "Others ask than before", newcomers),
    Derived("volume", "Traffic changed", volume),
    Derived("long_inputs", "Long inputs fare worse", long_inputs),
    Composite("feedback", "Users are unhappy", "Users are happier", ("negative_feedback",)),
    Derived("feedback_presence", "Feedback arrives more or less often", presence("negative_feedback")),
)
