"""Scenes for the tests of evidence."""

from holdfast.diagnose.evidence.composite import Scene
from holdfast.diagnose.moves import measure, reference, steps
from tests.diagnose.incidents import METRICS, Shop


def scene(shop: Shop, cohort: dict[str, str] | None = None) -> Scene:
    frame = shop.frame()
    inside = frame.cohort(cohort or {})
    healthy = reference(frame, inside, "", cohort)
    moves = measure(frame, METRICS, inside, healthy)
    return Scene(frame, inside, healthy, moves, steps(moves), cohort=cohort or {})
