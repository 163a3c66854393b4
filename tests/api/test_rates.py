"""Rates over HTTP: corrected where a judge saw enough, else a reason."""

from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from holdfast.access.access import TokenOrder
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.score.deferred import QueueFullError, late
from holdfast.score.external.scorer import Answer
from tests.api.conftest import TOKEN
from tests.api.test_labels import ROOT
from tests.report.conftest import MINUTE, START
from tests.score.build import llm
from tests.score.external.bring import JUDGED, Says, external

JUDGE = msgspec.structs.replace(JUDGED, corrects="refusal")
URL = "/api/v1/metrics/refusal/rate?service=support"


def scored(number: int) -> list[ScoredTrace]:
    """A call that the cheap scorer doubts, and of every third one the judge's word: one of ten fails."""
    call = msgspec.structs.replace(llm(), trace_id=f"{number:032x}", parent_span_id="", end_ns=START + 9 * MINUTE + number)
    trace = Trace(call.trace_id, (call,))
    cheap = Score(trace_id=call.trace_id, span_id=call.span_id, metric="refusal", value=0.4, scorer="refusal", version="1")
    found = [ScoredTrace(trace, (cheap,))]
    if number % 3 == 0:
        judge = external(Says(lambda _: Answer(value=float(number % 30 == 0))), metrics=(JUDGE,))
        found.append(late(judge, trace, tuple(judge.score(trace))))
    return found


@pytest.fixture
def judged(context: ApiContext) -> TestClient:
    context.telemetry.append([one for number in range(1_001, 1_301) for one in scored(number)])
    wider = msgspec.structs.replace(context, metrics=context.metrics | {JUDGE.name: JUDGE})
    return TestClient(create_app(wider), headers={"Authorization": f"Bearer {TOKEN}"})


def test_the_rate_is_the_judges_for_all_calls(judged: TestClient) -> None:
    found = judged.get(URL).json()
    estimate: dict[str, Any] = found["estimate"]
    assert (found["judge"], estimate["calls"], estimate["judged"]) == ("judged_wrong", 300, 100)
    assert estimate["cheap"] == pytest.approx(0.4)
    assert estimate["low"] < 0.1 < estimate["high"] < 0.25


def test_calls_that_found_the_judges_queue_full_are_told_as_not_judged(judged: TestClient, context: ApiContext) -> None:
    before = judged.get(URL).json()["estimate"]
    assert (before["not_judged"], before["lowest"], before["highest"]) == (0, before["low"], before["high"])
    judge = external(metrics=(JUDGE,), queue=1)
    lost = [scored(number)[0] for number in range(2_001, 2_041) if number % 3]
    context.telemetry.append([*lost, *(late(judge, one.trace, QueueFullError("1 trace waits already")) for one in lost)])
    after = judged.get(URL).json()["estimate"]
    assert (after["judged"], after["not_judged"]) == (100, len(lost))
    assert after["lowest"] < after["low"]
    assert after["highest"] > after["high"] + 0.1


def test_a_judge_that_hardly_ever_answered_is_the_reason_why_there_is_no_rate(context: ApiContext) -> None:
    judge = external(metrics=(JUDGE,))
    rows = [one for number in range(3_001, 3_031) for one in scored(number)]
    lost = [late(judge, scored(n)[0].trace, QueueFullError("full")) for n in range(3_001, 3_031) if n % 3]
    context.telemetry.append([*rows, *lost])
    wider = msgspec.structs.replace(context, metrics=context.metrics | {JUDGE.name: JUDGE})
    found = TestClient(create_app(wider), headers={"Authorization": f"Bearer {TOKEN}"}).get(URL).json()
    assert (found["estimate"], found["reason"]) == (None, "fewer than 20 judged calls; on 20 the judge failed")


def test_a_segment_has_its_own(judged: TestClient) -> None:
    assert judged.get(f"{URL}&dimension=route&value=/chat").json()["estimate"]["calls"] == 300
    assert judged.get(f"{URL}&dimension=route&value=/other").json()["reason"] == "fewer than 20 judged calls"


def test_what_nobody_judges_says_so(judged: TestClient) -> None:
    found = judged.get("/api/v1/metrics/toxicity/rate?service=support").json()
    assert (found["estimate"], found["judge"]) == (None, None)
    assert found["reason"] == "no scorer says that it corrects toxicity"


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/api/v1/metrics/nonsense/rate?service=support", 404),
        ("/api/v1/metrics/refusal/rate", 422),
        (f"{URL}&since=yesterday", 422),
        (f"{URL}&since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", 422),
        (f"{URL}&since=2020-01-01T00:00:00Z&until=2026-01-01T00:00:00Z", 422),
    ],
    ids=["unknown metric", "no application", "no time", "backwards", "too long"],
)
def test_a_question_that_makes_no_sense_is_refused(judged: TestClient, url: str, status: int) -> None:
    assert judged.get(url).status_code == status


def test_another_application_is_not_seen(judged: TestClient, context: ApiContext) -> None:
    issued = context.access.issue_token(ROOT, TokenOrder(name="ci", grants={"bank": "viewer"}, scopes=()))
    assert judged.get(URL, headers={"Authorization": f"Bearer {issued.secret}"}).status_code == 404
