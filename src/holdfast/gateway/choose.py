"""Which target is asked first, and which next: orders, weights, and who may not be asked. Pure; the draw is passed in."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from holdfast.control.snapshot import WeightedTarget


def ranked(targets: Sequence[WeightedTarget], weights: Mapping[str, float] | None, draw: Callable[[], float]) -> list[str]:
    """Names of targets in the order in which they are to be tried.

    Those of a lower `order` come first; among equals each place is drawn by weight, without replacement. `weights`, where given,
    replace those of the route: a target that they leave out, or give 0, is not asked.
    """
    if weights is None and len(targets) == 1:
        return [targets[0].target] if targets[0].weight > 0 else []
    groups: dict[int, list[tuple[str, float]]] = {}
    for one in targets:
        weight = one.weight if weights is None else weights.get(one.target, 0.0)
        if weight > 0:
            groups.setdefault(0 if weights is not None else one.order, []).append((one.target, weight))
    found: list[str] = []
    for order in sorted(groups):
        found += _drawn(groups[order], draw)
    return found


def _drawn(group: list[tuple[str, float]], draw: Callable[[], float]) -> Iterable[str]:
    left = list(group)
    while len(left) > 1:
        at = draw() * sum(weight for _, weight in left)
        index = 0
        while index < len(left) - 1 and at >= left[index][1]:
            at -= left[index][1]
            index += 1
        yield left.pop(index)[0]
    yield from (name for name, _ in left)
