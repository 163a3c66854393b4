"""Every kind of detector, by name. To add one: a file, a line here, a test file."""

from collections.abc import Callable

from holdfast.detect.burn_rate import DETECTOR, BurnRate
from holdfast.detect.coverage import Coverage
from holdfast.detect.hard import Hard
from holdfast.detect.protocol import Detector, Ground
from holdfast.detect.sequential import Sequential
from holdfast.detect.traffic import Traffic

DETECTORS: dict[str, Callable[[Ground], Detector]] = {
    "sequential": Sequential,
    "hard": Hard,
    "coverage": Coverage,
    "traffic": Traffic,
    DETECTOR: BurnRate,
}
