"""Traffic: who asks what, and whether it is a few who do."""

import numpy as np

from holdfast.diagnose.evidence.composite import Composite, Derived, Scene, presence, share_step
from holdfast.diagnose.frame import Floats
from holdfast.diagnose.moves import Step, arrived

LEAST_CALLS = 20
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
    """Whether the suspicious inputs since onset come from very few users."""
    column = scene.frame.columns.get("prompt_injection")
    if column is None:
        return None
    since = scene.frame.after[column.call]
    bad = column.call[since & (column.value >= 0.5)]
    users = [(c[1], scene.frame.mask(c)) for c in scene.frame.conditions if c[0] == "user"]
    if bad.size < 5 or not users:
        return None
    counts = np.sort(np.array([int(mask[bad].sum()) for _, mask in users]))[::-1]
    share = float(counts[:3].sum()) / bad.size
    everyone = float(np.sort([int(mask[column.call[since]].sum()) for _, mask in users])[::-1][:3].sum()) / max(
        int(since.sum()), 1
    )
    text = f"three users sent {share:.0%} of {bad.size} suspicious inputs"
    if share >= 0.5 and share > 3 * everyone:
        return Step.SURGE, text
    return (Step.RISE if share >= 0.3 and share > 2 * everyone else Step.FLAT), text


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
    Composite("injection", "Users try to override instructions", ("prompt_injection",)),
    Composite("secrets", "Users paste secrets", ("secrets_in_prompt",)),
    Derived("concentration", "Few users are behind it", concentration),
    Derived("newcomers", "Others ask than before", newcomers),
    Derived("volume", "Traffic changed", volume),
    Derived("long_inputs", "Long inputs fare worse", long_inputs),
    Composite("feedback", "Users are unhappy", ("negative_feedback",)),
    Derived("feedback_presence", "Feedback arrives more or less often", presence("negative_feedback")),
)
