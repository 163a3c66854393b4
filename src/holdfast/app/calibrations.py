"""What learns from people's labels, built from the settings."""

from holdfast.app.scorers import Scorers
from holdfast.calibration import Calibrations
from holdfast.core.clock import Clock
from holdfast.score.calibrator import FILE_NAME
from holdfast.score.registry import SCORERS
from holdfast.settings import Settings
from holdfast.telemetry.store import TelemetryStore


def build_calibrations(settings: Settings, telemetry: TelemetryStore, scorers: Scorers, clock: Clock) -> Calibrations:
    """What learns from people's labels."""
    path = settings.server.data_dir / FILE_NAME
    return Calibrations(telemetry, (*SCORERS, *scorers.external), scorers.calibrator, path, clock)
