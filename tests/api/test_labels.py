"""Labels over HTTP: only added, by those who may, with their name on them; and what is learnt from them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from holdfast.access.access import TokenOrder
from holdfast.access.roles import Identity, Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.calibration import Calibrations
from holdfast.core.trace import ScoredTrace
from holdfast.score.calibrator import FILE_NAME, Calibrator
from holdfast.score.registry import SCORERS
from tests.api.conftest import TOKEN
from tests.score.external.bring import JUDGED, external
from tests.test_calibration import SURE, conversation, half_of_the_suspicious_ones

ROOT = Identity(actor="user:root", grants={"*": Role.ADMIN})
TRACE, SPAN = f"{1:032x}", f"{1:016x}"
GIVEN: dict[str, Any] = {"trace_id": TRACE, "span_id": SPAN, "metric": "refusal", "failed": True}


class Learning(TestClient):
    """A client of a server that learns, as an administrator unless told otherwise."""

    context: ApiContext

    def token(self, grants: dict[str, str], *scopes: str) -> dict[str, str]:
        issued = self.context.access.issue_token(ROOT, TokenOrder(name="ci", grants=grants, scopes=scopes))
        return {"Authorization": f"Bearer {issued.secret}"}


@pytest.fixture
def learning(context: ApiContext, tmp_path: Path) -> Iterator[Learning]:
    judge = external(SURE)
    calibrations = Calibrations(context.telemetry, (*SCORERS, judge), Calibrator(), tmp_path / FILE_NAME, context.clock)
    metrics = context.metrics | {JUDGED.name: JUDGED}
    wider = msgspec.structs.replace(context, calibrations=calibrations, metrics=metrics)
    with Learning(create_app(wider), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        client.context = wider
        yield client


def labelled(client: Learning, **fields: Any) -> Any:
    answer = client.post("/api/v1/labels", json=GIVEN | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_label_is_kept_with_who_said_it_and_of_which_application(learning: Learning) -> None:
    found = labelled(learning, note="it did refuse")
    assert (found["service"], found["actor"], found["failed"], found["note"]) == ("shop", "token:test", True, "it did refuse")
    assert learning.get("/api/v1/labels").json() == [found]


def test_a_program_may_say_for_whom_it_speaks_and_stays_named_itself(learning: Learning) -> None:
    assert labelled(learning, person="ada")["actor"] == "token:test/ada"


def test_a_label_without_a_span_is_about_the_answering_call(learning: Learning) -> None:
    assert labelled(learning, span_id="")["span_id"] == SPAN


def test_a_later_word_counts_instead(learning: Learning, context: ApiContext) -> None:
    labelled(learning)
    context.clock.advance(1)  # type: ignore[attr-defined]
    labelled(learning, failed=False)
    (found,) = learning.get("/api/v1/labels").json()
    assert found["failed"] is False
    assert len(context.telemetry.label_history(TRACE)) == 2


def test_every_label_is_in_the_hash_chain(learning: Learning, context: ApiContext) -> None:
    labelled(learning)
    assert [entry.event.type for entry in context.ledger.stream("access").newest(1)] == ["CallLabelled"]
    assert context.ledger.verify().ok


@pytest.mark.parametrize(
    "fields",
    [
        {"metric": "nonsense"},
        {"metric": "latency"},
        {"metric": ""},
        {"trace_id": "nothing"},
        {"trace_id": TRACE.upper() + "0"},
        {"span_id": "nothing"},
        {"failed": "perhaps"},
        {"note": "x" * 1_001},
        {"verdict": "pass"},
    ],
    ids=str,
)
def test_a_label_that_makes_no_sense_is_refused(learning: Learning, fields: dict[str, Any]) -> None:
    assert learning.post("/api/v1/labels", json=GIVEN | fields).status_code == 422
    assert learning.get("/api/v1/labels").json() == []


@pytest.mark.parametrize("fields", [{"trace_id": f"{99:032x}"}, {"span_id": "f" * 16}], ids=str)
def test_a_label_on_a_call_that_is_not_there_is_refused(learning: Learning, fields: dict[str, Any]) -> None:
    assert learning.post("/api/v1/labels", json=GIVEN | fields).status_code == 404


@pytest.mark.parametrize(
    ("grants", "scopes", "status"),
    [
        ({"*": "viewer"}, (), 403),
        ({"bank": "responder"}, (), 404),
        ({"shop": "viewer", "bank": "responder"}, (), 403),
        ({"*": "responder"}, ("read:*",), 403),
        ({"shop": "responder"}, (), 201),
        ({"*": "responder"}, ("write:labels",), 201),
    ],
    ids=["viewer", "of another application", "viewer here, responder there", "token that reads", "responder", "token for labels"],
)
def test_only_a_responder_of_the_application_labels(
    learning: Learning, grants: dict[str, str], scopes: tuple[str, ...], status: int
) -> None:
    assert learning.post("/api/v1/labels", json=GIVEN, headers=learning.token(grants, *scopes)).status_code == status


def test_labels_of_other_applications_are_not_shown(learning: Learning) -> None:
    labelled(learning)
    assert learning.get("/api/v1/labels", headers=learning.token({"bank": "viewer"})).json() == []
    assert len(learning.get("/api/v1/labels", headers=learning.token({"shop": "viewer"})).json()) == 1


@pytest.mark.parametrize("query", ["service=bank", "metric=toxicity", f"trace_id={2:032x}"])
def test_filters_leave_out_the_rest(learning: Learning, query: str) -> None:
    labelled(learning)
    assert learning.get(f"/api/v1/labels?{query}").json() == []


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "trace_id=x", "service=" + "x" * 300])
def test_a_filter_that_makes_no_sense_is_refused(learning: Learning, query: str) -> None:
    assert learning.get(f"/api/v1/labels?{query}").status_code == 422


@pytest.fixture
def taught(learning: Learning, context: ApiContext) -> Learning:
    context.telemetry.append([ScoredTrace(conversation(n, "suspicious" if n % 2 else "plain"), ()) for n in range(1, 161)])
    context.telemetry.append_labels(half_of_the_suspicious_ones())
    return learning


def test_what_was_learnt_is_told_and_in_force(taught: Learning) -> None:
    (lesson,) = taught.post("/api/v1/calibrations", json={"application": "support", "metric": "judged_wrong"}).json()
    assert lesson["refused"] == ""
    assert lesson["learnt"]["brier_after"] < lesson["learnt"]["brier_before"]
    assert taught.get("/api/v1/calibrations").json() == [lesson["calibration"]]
    assert lesson["calibration"]["id"].startswith("cal_")


def test_a_calibration_and_its_end_are_in_the_hash_chain(taught: Learning, context: ApiContext) -> None:
    taught.post("/api/v1/calibrations", json={"application": "support"})
    gone = taught.delete("/api/v1/calibrations?application=support&metric=judged_wrong")
    assert (gone.status_code, taught.get("/api/v1/calibrations").json()) == (204, [])
    assert [entry.event.type for entry in context.ledger.stream("access").newest(2)] == ["ScoresCalibrated"] * 2


def test_labels_that_teach_nothing_say_why(taught: Learning) -> None:
    labelled(taught)
    (lesson,) = taught.post("/api/v1/calibrations", json={"application": "shop"}).json()
    assert "1 labels" in lesson["refused"]
    assert lesson["calibration"] is None


def test_an_application_without_labels_is_not_found(learning: Learning) -> None:
    assert learning.post("/api/v1/calibrations", json={"application": "nobody"}).status_code == 404
    assert learning.delete("/api/v1/calibrations?application=nobody&metric=refusal").status_code == 404


@pytest.mark.parametrize(
    ("grants", "status"), [({"*": "responder"}, 403), ({"bank": "approver"}, 403), ({"support": "approver"}, 200)]
)
def test_only_an_approver_of_the_application_calibrates(taught: Learning, grants: dict[str, str], status: int) -> None:
    headers = taught.token(grants)
    assert taught.post("/api/v1/calibrations", json={"application": "support"}, headers=headers).status_code == status


def test_a_server_that_learns_nothing_says_so(client: TestClient) -> None:
    assert client.get("/api/v1/calibrations").status_code == 404
