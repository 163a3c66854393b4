"""The failure itself: whether what raised the alarm is still there once the cohort is compared with its own health."""

from holdfast.diagnose.evidence.composite import Derived, Scene, describe
from holdfast.diagnose.moves import Step

CLEAR = 6.0
"""Standard errors from which a failure is plain."""


def harm(scene: Scene) -> tuple[Step, str] | None:
    """How clearly the failing metrics moved inside the cohort: an alarm that came of chance or of who asked moves nothing."""
    moves = [scene.moves[name] for name in scene.failing if name in scene.moves]
    if not moves:
        return None
    clearest = max(moves, key=lambda m: abs(m.z) if m.significant else 0.0)
    text = describe(clearest)
    if not clearest.significant:
        return Step.FLAT, f"{text}, within what chance does"
    return (Step.SURGE if abs(clearest.z) >= CLEAR else Step.RISE), text


COMPOSITES = (Derived("harm", "What raised the alarm differs from the cohort's own health", harm),)
