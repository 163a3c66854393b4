"""The analysis document has exactly the shape that other programs rely on."""

import msgspec
import orjson

from holdfast.core.incident import Incident, State
from holdfast.core.score import Metric
from holdfast.report.analysis import Analysis, MetricSummary, document, exemplars, failure_modes
from tests.report.conftest import START


def analysed(*incidents: Incident) -> Analysis:
    return Analysis(
        start_ns=START,
        end_ns=START + 1,
        calls=3,
        metrics=[MetricSummary("ungrounded_answer", 3, 0.1)],
        incidents=incidents,
        coverage={"groundedness": {"ran": 3, "failed": 0, "skipped": 0}},
    )


def test_the_document_has_the_promised_keys(incident: Incident, metrics: dict[str, Metric]) -> None:
    found = orjson.loads(orjson.dumps(document(analysed(incident), metrics)))
    assert set(found) >= {"period", "calls", "metrics", "incidents", "coverage"}
    assert set(found["incidents"][0]) >= {
        "id",
        "title",
        "severity",
        "state",
        "started_at",
        "detected_at",
        "failure_modes",
        "cohort",
        "metrics",
        "diagnosis",
        "impact",
        "evidence",
        "actions",
    }
    assert found["incidents"][0]["cohort"] == {"prompt.version": "v2"}
    assert found["incidents"][0]["diagnosis"]["causes"][0]["change_id"] == "deploy-7"
    assert found["period"]["start"] == "2023-11-14T22:13:20.000Z"


def test_without_calls_the_period_is_null(metrics: dict[str, Metric]) -> None:
    empty = Analysis(start_ns=None, end_ns=None, calls=0, metrics=[], incidents=[], coverage={})
    assert document(empty, metrics)["period"] == {"start": None, "end": None}


def test_who_attacks_is_listed_with_how_often_and_when(campaign: Incident, metrics: dict[str, Metric]) -> None:
    (found,) = document(analysed(campaign), metrics)["incidents"]
    assert found["cohort"] == {}
    assert [one["user"] for one in found["attackers"]] == ["mallory|x", "trudy"]
    assert found["attackers"][0] == {
        "user": "mallory|x",
        "attacks": 7,
        "requests": 9,
        "first_at": "2023-11-14T22:13:20.000Z",
        "last_at": "2023-11-14T22:18:20.000Z",
        "new": True,
    }


def test_an_incident_without_a_diagnosis_says_so_by_empty_lists(incident: Incident, metrics: dict[str, Metric]) -> None:
    bare = msgspec.structs.replace(incident, diagnosis=None)
    found = document(analysed(bare), metrics)["incidents"][0]
    assert found["diagnosis"] == {"layers": [], "causes": []}
    assert found["cohort"] == {"prompt.version": "v2"}


def test_candidates_and_declined_incidents_are_not_shown(incident: Incident, metrics: dict[str, Metric]) -> None:
    hidden = [msgspec.structs.replace(incident, state=state) for state in (State.CANDIDATE, State.DECLINED, State.MERGED)]
    assert document(analysed(*hidden), metrics)["incidents"] == []


def test_a_failure_mode_is_named_once_and_unknown_metrics_by_their_own_name(
    incident: Incident, metrics: dict[str, Metric]
) -> None:
    assert failure_modes(incident, metrics) == ["hallucination", "negative_feedback"]


def test_each_call_is_evidence_once(incident: Incident) -> None:
    assert len(exemplars(incident)) == 1
