"""What learns is built over the same scorers, calibrations and folder as the server."""

from pathlib import Path

from holdfast.app.calibrations import build_calibrations
from holdfast.app.scorers import Scorers
from holdfast.core.trace import ScoredTrace
from holdfast.score.calibrator import FILE_NAME
from holdfast.settings import load
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.clock import FakeClock
from tests.score.external.bring import external
from tests.test_calibration import SURE, conversation, half_of_the_suspicious_ones


def test_what_it_learns_is_in_force_for_the_server_and_in_its_folder(tmp_path: Path) -> None:
    scorers = Scorers(external=(external(SURE),))
    settings = load(overrides={"server": {"data_dir": str(tmp_path)}})
    with TelemetryStore(f"chdb://{tmp_path}/telemetry") as telemetry:
        telemetry.append([ScoredTrace(conversation(n, "suspicious" if n % 2 else "plain"), ()) for n in range(1, 161)])
        telemetry.append_labels(half_of_the_suspicious_ones())
        (lesson,) = build_calibrations(settings, telemetry, scorers, FakeClock()).learn("support", "", "user:ada")
    assert scorers.calibrator.calibrations == [lesson.calibration]
    assert (tmp_path / FILE_NAME).exists()
