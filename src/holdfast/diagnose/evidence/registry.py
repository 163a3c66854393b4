"""Every group of evidence, by name. To add one: a file with `COMPOSITES`, and one line here."""

from holdfast.diagnose.evidence import downstream, failure, model, operations, output, prompt, retrieval, traffic
from holdfast.diagnose.evidence.composite import ANCHORS, Composite, Derived, Reading, Scene

GROUPS: dict[str, tuple[Composite | Derived, ...]] = {
    "retrieval": retrieval.COMPOSITES,
    "prompt": prompt.COMPOSITES,
    "model": model.COMPOSITES,
    "output": output.COMPOSITES,
    "downstream": downstream.COMPOSITES,
    "operations": operations.COMPOSITES,
    "traffic": traffic.COMPOSITES,
    "failure": failure.COMPOSITES,
}
"""Beside these, the cohort's dimension and the change log are evidence too: see `posterior`."""

METRICS_READ = tuple(dict.fromkeys([*ANCHORS, *(m for composites in GROUPS.values() for c in composites for m in c.metrics)]))
"""Every metric that any evidence is read from."""

COMPOSITE_NAMES = tuple(c.name for composites in GROUPS.values() for c in composites)


def read_all(scene: Scene) -> dict[str, list[Reading]]:
    """By group, what each composite says; one that cannot say is left out, never read as calm."""
    found: dict[str, list[Reading]] = {}
    for group, composites in GROUPS.items():
        readings = [reading for c in composites if (reading := c.read(scene)) is not None]
        if readings:
            found[group] = readings
    return found
