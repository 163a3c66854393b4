import pytest

from holdfast.core.errors import ConfigurationError, NotFoundError
from holdfast.drills.application import APPLICATIONS
from holdfast.drills.decoys.registry import DECOYS
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.injection import Ramp
from holdfast.drills.scenario import Scenario, TraceSteps, generate, play, prepare


def run(**fields: object) -> list[TraceSteps]:
    return list(generate(Scenario(**fields)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_harms_requests_of_its_cohort_after_its_onset_and_no_others(name: str) -> None:
    prepared = prepare(Scenario(fault=name, calls=400, fault_at=0.2))
    (injection,) = prepared.injections
    struck = [trace for trace in play(prepared) if trace.struck]
    assert len(struck) >= 3
    for trace in struck:
        root = trace.calls[0]
        assert injection.onset_ns <= root.start_ns < injection.end_ns
        for dimension, value in injection.cohort.items():
            assert value in root.dimensions[dimension]


@pytest.mark.parametrize("name", DECOYS)
def test_a_decoy_harms_nobody_beyond_the_usual_imperfection(name: str) -> None:
    traces = run(decoy=name, calls=500)
    assert not any(trace.struck for trace in traces)
    assert sum(trace.harmed for trace in traces) / len(traces) < 0.10


def test_healthy_traffic_is_imperfect_but_mostly_good() -> None:
    traces = run(calls=2000)
    assert 0.03 < sum(trace.harmed for trace in traces) / len(traces) < 0.08


def test_the_same_scenario_yields_the_same_traces() -> None:
    assert run(fault="wrong_embedder", calls=150) == run(fault="wrong_embedder", calls=150)


def test_requests_that_a_fault_does_not_reach_are_as_in_the_healthy_run() -> None:
    healthy = {trace.calls[0].trace_id: trace for trace in run(calls=600, seed=4)}
    sick = run(fault="json_repair_mangles", calls=600, seed=4)
    untouched = [trace for trace in sick if trace.calls[0].dimensions["route"] != ("/tickets",)]
    same = [
        trace
        for trace in untouched
        if [c.answer for c in healthy[trace.calls[0].trace_id].calls] == [c.answer for c in trace.calls]
    ]
    assert len(same) == len(untouched)


def test_a_subtle_fault_strikes_fewer_requests_than_a_plain_one() -> None:
    plain, subtle = (sum(bool(t.struck) for t in run(fault="grounding_rule_dropped", calls=1500, severity=s)) for s in (1.0, 0.2))
    assert 0 < subtle < plain / 3


def test_a_fault_can_be_limited_to_a_conjunction_of_three_dimensions() -> None:
    cohort = {"route": "/chat", "tenant": "alder", "region": "eu-central-1"}
    prepared = prepare(Scenario(fault="max_tokens_too_low", calls=1500, cohort=cohort, fault_at=0.1))
    struck = [trace for trace in play(prepared) if trace.struck]
    assert struck
    assert all(trace.calls[0].dimensions[name] == (value,) for trace in struck for name, value in cohort.items())


def test_a_prompt_fault_for_one_tenant_has_the_new_version_and_the_tenant_as_cohort() -> None:
    prepared = prepare(Scenario(fault="grounding_rule_dropped", cohort={"tenant": "alder"}))
    assert prepared.injections[0].cohort == {"prompt.version": "chat-v8", "tenant": "alder"}


def test_half_a_rollout_leaves_the_other_users_on_the_old_version() -> None:
    prepared = prepare(Scenario(fault="grounding_rule_dropped", calls=1500, rollout=0.5))
    late = [t.calls[0].dimensions for t in play(prepared) if t.calls[0].start_ns > prepared.injections[0].onset_ns]
    versions = {d["prompt.version"][0] for d in late if d["route"] == ("/chat",)}
    assert versions == {"chat-v7", "chat-v8"}


def test_a_fault_ends_when_its_duration_is_over() -> None:
    prepared = prepare(Scenario(fault="repetition_loop", calls=1500, fault_at=0.3, duration_s=3600))
    assert all(t.calls[0].start_ns < prepared.injections[0].end_ns < prepared.end_ns for t in play(prepared) if t.struck)


@pytest.mark.parametrize("ramp", Ramp)
def test_every_ramp_does_harm(ramp: Ramp) -> None:
    assert any(trace.struck for trace in run(fault="repetition_loop", calls=600, ramp=ramp))


def test_two_faults_at_once_are_told_apart() -> None:
    struck = {name for trace in run(fault="wrong_embedder", second="tool_schema_change", calls=1200) for name in trace.struck}
    assert struck == {"wrong_embedder", "tool_schema_change"}


def test_the_change_event_of_a_fault_comes_before_its_harm() -> None:
    prepared = prepare(Scenario(fault="stale_index", delay_s=600))
    (injection,) = prepared.injections
    assert injection.change in prepared.changes
    assert injection.change_ns + 600 * 10**9 == injection.onset_ns


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"fault_at": 1.5}, "fault_at"),
        ({"rollout": -0.1}, "rollout"),
        ({"hours": 0}, "hours"),
        ({"calls": 0}, "calls"),
        ({"severity": -1}, "severity"),
        ({"fault": "stale_index", "decoy": "surge"}, "decoy"),
        ({"cohort": dict.fromkeys("abcd", "x")}, "cohort"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        prepare(Scenario(**fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("fields", [{"fault": "gremlins"}, {"decoy": "gremlins"}, {"application": "gremlins"}])
def test_unknown_names_are_refused_with_the_known_ones(fields: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match=r"gremlins.*there are"):
        prepare(Scenario(**fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("application", [name for name in APPLICATIONS if name != "support"])
def test_every_application_can_break_in_every_way(application: str) -> None:
    harmless = []
    for name in FAULTS:
        prepared = prepare(Scenario(application=application, fault=name, calls=150, fault_at=0.05))
        struck = [trace.calls[0].dimensions for trace in play(prepared) if trace.struck]
        cohort = prepared.injections[0].cohort
        assert all(value in found[dimension] for found in struck for dimension, value in cohort.items()), name
        harmless += [] if struck else [name]
    assert len(harmless) <= 2, "a cohort of one rare language may be empty in a short run"
