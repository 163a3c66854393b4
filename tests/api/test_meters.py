"""What the server says of itself to Prometheus."""

import msgspec
import pytest
from fastapi.testclient import TestClient

from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.meters import exposition
from holdfast.core.errors import StoreError
from holdfast.core.events import IncidentAcknowledged, Recorded
from holdfast.live import Progress
from holdfast.telemetry.store import TelemetryStore
from tests.report.conftest import MINUTE, START


def value(context: ApiContext, line: str) -> float:
    """Of the one sample that begins so."""
    (found,) = [text for text in exposition(context).decode().splitlines() if text.startswith(line + " ")]
    return float(found.rpartition(" ")[2])


def test_it_counts_incidents_by_state_those_without_any_too(context: ApiContext) -> None:
    assert value(context, 'holdfast_incidents{state="open"}') == 1
    assert value(context, 'holdfast_incidents{state="resolved"}') == 0


def test_an_open_incident_waits_until_somebody_acknowledges_it(context: ApiContext) -> None:
    assert value(context, "holdfast_incidents_unacknowledged") == 1
    event = IncidentAcknowledged()
    context.ledger.append([Recorded(incident_id="inc_1", time_ns=START + 5 * MINUTE, actor="user:ada", event=event)])
    assert value(context, "holdfast_incidents_unacknowledged") == 0


def test_it_tells_what_scorers_did(context: ApiContext) -> None:
    assert value(context, 'holdfast_scorer_traces{outcome="ran",scorer="refusal"}') == 3


@pytest.mark.parametrize(
    ("progress", "up"),
    [
        (Progress(last_read_ns=START + 10 * MINUTE, records=7), 1),
        (Progress(last_read_ns=START + 10 * MINUTE, error="the store refuses"), 0),
        (Progress(last_read_ns=START + 8 * MINUTE), 0),
    ],
    ids=["runs", "failed", "stale"],
)
def test_a_pipeline_that_does_not_read_is_down(context: ApiContext, progress: Progress, up: int) -> None:
    changed = msgspec.structs.replace(context, progress=progress)
    assert value(changed, "holdfast_pipeline_up") == up
    assert value(changed, "holdfast_pipeline_records_total") == progress.records


class Broken(TelemetryStore):
    """A telemetry store that does not answer."""

    def __init__(self) -> None:
        pass

    def coverage(self, start_ns: int, end_ns: int, services: frozenset[str] | None = None) -> dict[str, dict[str, int]]:
        raise StoreError("connection refused")


def test_no_counter_claims_to_be_born_when_it_is_read(context: ApiContext) -> None:
    assert "_created" not in exposition(context).decode()


def test_a_store_that_does_not_answer_is_down_and_the_rest_is_told(context: ApiContext) -> None:
    changed = msgspec.structs.replace(context, telemetry=Broken())
    assert value(changed, 'holdfast_store_up{store="telemetry"}') == 0
    assert value(changed, 'holdfast_store_up{store="ledger"}') == 1
    assert value(changed, 'holdfast_incidents{state="open"}') == 1


def test_nobody_reads_it_without_a_sign_in(context: ApiContext) -> None:
    with TestClient(create_app(context)) as client:
        assert client.get("/metrics").status_code == 401
