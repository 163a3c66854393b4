"""The analysis document has exactly the shape that other programs rely on."""

import msgspec
import orjson

from holdfast.core.diagnosis import Statement
from holdfast.core.incident import Incident, State
from holdfast.core.score import Metric
from holdfast.core.signal import Exemplar, Segment, Verdict
from holdfast.report.analysis import Analysis, ChangesRead, MetricSummary, document, exemplars, failure_modes
from tests.report.conftest import START, signal


def analysed(*incidents: Incident) -> Analysis:
    return Analysis(
        start_ns=START,
        end_ns=START + 1,
        calls=3,
        requests=2,
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
    empty = Analysis(start_ns=None, end_ns=None, calls=0, requests=0, metrics=[], incidents=[], coverage={})
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


def seen(letter: str, why: str) -> tuple[Exemplar, ...]:
    return (Exemplar(letter * 32, letter * 16, why),)


def told(incident: Incident, *statements: Statement) -> Incident:
    assert incident.diagnosis is not None
    return msgspec.structs.replace(incident, diagnosis=msgspec.structs.replace(incident.diagnosis, evidence=statements))


UNSAFE = signal("unsafe_output", log_evidence=20.0, exemplars=seen("1", "harmful answer"))
BESIDE = signal("answer_irrelevance", log_evidence=30.0, exemplars=seen("2", "misses the question"))
DRIFTS = signal("output_drift", log_evidence=90.0, verdict=Verdict.ANOMALY, exemplars=seen("3", "far from before"))
WORST = Statement(group="cohort", text="the cohort", log_ratio=0.1, exemplars=seen("4", "unsafe_output = 0.88"))
SLOWER = Statement(group="traffic", text="slower", log_ratio=5.0, exemplars=seen("5", "latency = 299"))


def shown_of(incident: Incident) -> list[str]:
    return [exemplar.why for exemplar in exemplars(incident)]


def test_evidence_is_of_what_fails_the_strongest_first_and_not_of_what_only_moved(incident: Incident) -> None:
    failing = msgspec.structs.replace(incident, signals=(DRIFTS, UNSAFE, BESIDE))
    assert shown_of(told(failing, SLOWER, WORST)) == ["misses the question", "harmful answer", "unsafe_output = 0.88"]


def test_where_the_failing_metric_was_watched_in_a_larger_segment_the_cohorts_worst_calls_are_shown(incident: Incident) -> None:
    everywhere = msgspec.structs.replace(UNSAFE, segment=Segment("shop"))
    assert shown_of(told(msgspec.structs.replace(incident, signals=(everywhere, DRIFTS)), SLOWER, WORST)) == [
        "unsafe_output = 0.88"
    ]


def test_what_moved_in_the_cohort_speaks_where_no_failing_call_is_known(incident: Incident) -> None:
    silent = msgspec.structs.replace(UNSAFE, exemplars=())
    assert shown_of(told(msgspec.structs.replace(incident, signals=(silent, DRIFTS)), SLOWER)) == [
        "far from before",
        "latency = 299",
    ]


def test_calls_of_others_speak_where_nothing_else_does_and_no_calls_are_no_evidence(incident: Incident) -> None:
    everywhere = msgspec.structs.replace(UNSAFE, segment=Segment("shop"))
    assert shown_of(told(msgspec.structs.replace(incident, signals=(everywhere,)))) == ["harmful answer"]
    assert shown_of(msgspec.structs.replace(incident, signals=(), diagnosis=None)) == []


def test_what_became_of_the_changes_is_told_even_without_any(metrics: dict[str, Metric]) -> None:
    assert document(analysed(), metrics)["changes"] == {"read": 0, "left_out": 0, "unknown_dimensions": []}
    some = msgspec.structs.replace(analysed(), changes=ChangesRead(3, 1, ["customer"]))
    assert document(some, metrics)["changes"] == {"read": 3, "left_out": 1, "unknown_dimensions": ["customer"]}


def test_calls_and_requests_are_two_counts(metrics: dict[str, Metric]) -> None:
    found = document(analysed(), metrics)
    assert (found["calls"], found["requests"]) == (3, 2)
