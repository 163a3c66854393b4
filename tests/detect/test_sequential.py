from dataclasses import replace

import msgspec
import numpy as np
import pytest

from holdfast.core.signal import Signal, SignalCleared, Verdict
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.detect.detection import Detection
from holdfast.detect.kernel import stakes
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.streams import TIME, WATCHING, K, N
from tests.detect.replay import failures, feed, replay, seconds
from tests.detect.simulation import METRICS, START_NS, Fault, Script, traffic

FAULT_S = 4000.0
HOURS_3 = 3 * 3600.0


def test_a_healthy_day_is_silent() -> None:
    assert not failures(replay(Script(seconds=86_400, rate=0.05, seed=4)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_clear_fault_is_found_within_sixty_calls_and_its_onset_is_right(seed: int) -> None:
    found = failures(replay(Script(seconds=FAULT_S + 400, seed=seed, faults=[Fault(FAULT_S, "ungrounded_answer", 0.4)])))
    first = found[0]
    assert first.metric == "ungrounded_answer"
    assert first.calls <= 60
    assert abs(seconds(first.onset_ns) - FAULT_S) < 60
    assert 0.02 < first.baseline < 0.07 < 0.2 < first.observed
    assert first.log_evidence >= first.threshold
    assert 0 < first.budget < 0.2
    assert len(first.exemplars) == 5


def test_a_new_prompt_version_is_judged_by_what_was_there_before() -> None:
    where = {"prompt.version": "v2"}
    script = Script(
        seconds=FAULT_S + 1500,
        versions=((0.0, "v1"), (FAULT_S, "v2")),
        version_share=0.2,
        faults=[Fault(FAULT_S, "ungrounded_answer", 0.4, where)],
    )
    segments = {s.segment.conditions.get("prompt.version") for s in failures(replay(script))}
    assert "v2" in segments
    assert "v1" not in segments


def test_a_new_version_that_is_as_good_as_the_old_one_is_silent() -> None:
    assert not failures(replay(Script(seconds=8000, versions=((0.0, "v1"), (FAULT_S, "v2")))))


def test_a_fall_of_a_score_is_found() -> None:
    found = failures(replay(Script(seconds=FAULT_S + 400, faults=[Fault(FAULT_S, "relevance", 0.6)])))
    assert found[0].metric == "relevance"
    assert "sr_mixture_score_down" in {signal.detector for signal in found}
    assert found[0].observed < 0.8 < found[0].baseline


def test_latency_times_four_is_a_failure_and_half_as_much_again_only_an_anomaly() -> None:
    worse = replay(Script(seconds=FAULT_S + 600, faults=[Fault(FAULT_S, "latency", 3600.0)]))
    slower = replay(Script(seconds=FAULT_S + 3000, faults=[Fault(FAULT_S, "latency", 1300.0)]))
    assert any(s.metric == "latency" for s in failures(worse))
    assert not failures(slower)
    assert any(isinstance(s, Signal) and s.verdict is Verdict.ANOMALY for s in slower)


def test_a_metric_that_only_informs_never_signals() -> None:
    events = replay(Script(seconds=FAULT_S + 2000, faults=[Fault(FAULT_S, "novelty", 0.95)]))
    assert not [e for e in events if e.metric == "novelty"]


def test_a_fault_that_ends_is_cleared_and_one_that_goes_on_is_not() -> None:
    fault = Fault(FAULT_S, "ungrounded_answer", 0.4, end_s=6000.0)
    ended = replay(Script(seconds=HOURS_3, faults=[fault]))
    cleared = {e.signal_id: e for e in ended if isinstance(e, SignalCleared)}
    assert {s.id for s in failures(ended) if not s.segment.dimension} <= set(cleared)
    assert all(seconds(c.cleared_ns) > 6000 for c in cleared.values())
    going_on = replay(Script(seconds=HOURS_3, faults=[Fault(FAULT_S, "ungrounded_answer", 0.4)]))
    assert not [e for e in going_on if isinstance(e, SignalCleared)]


def test_an_incident_is_not_learnt_as_normal() -> None:
    long = replay(Script(seconds=HOURS_3, faults=[Fault(FAULT_S, "ungrounded_answer", 0.3)]))
    assert not [e for e in long if isinstance(e, SignalCleared)]
    assert all(s.baseline < 0.08 for s in failures(long))


def test_a_shift_of_traffic_towards_a_harder_route_is_no_failure() -> None:
    script = Script(
        seconds=HOURS_3,
        route_effect={"/search": 3.0},
        route_shift=(5000.0, {"/chat": 0.2, "/search": 0.8}),
    )
    assert not failures(replay(script))


def asked(script: Script) -> list[ScoredTrace]:
    """The traffic of a script whose routes nobody tells, but scorers recognise them as kinds of questions."""
    found = []
    for one in traffic(script):
        (call,) = one.trace.calls
        kind = float([*script.routes].index(call.dimensions["route"][0]))
        told = {name: values for name, values in call.dimensions.items() if name != "route"}
        said = msgspec.structs.replace(one.scores[0], metric="question_kind", value=kind, scorer="question_kind")
        trace = Trace(call.trace_id, (msgspec.structs.replace(call, dimensions=told),))
        found.append(msgspec.structs.replace(one, trace=trace, scores=(*one.scores, said)))
    return found


HARDER = Script(
    seconds=4 * 3600.0,
    metrics={"ungrounded_answer": 0.04},
    route_effect={"/search": 3.0},
    route_shift=(8000.0, {"/chat": 0.2, "/search": 0.8}),
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_shift_of_traffic_towards_harder_questions_is_no_failure(seed: int) -> None:
    assert not failures(feed(Detection(METRICS), asked(replace(HARDER, seed=seed))))


def test_worse_answers_to_the_same_kinds_of_questions_are_a_failure_whatever_else_is_asked() -> None:
    script = replace(HARDER, faults=[Fault(8000.0, "ungrounded_answer", 0.3)])
    assert failures(feed(Detection(METRICS), asked(script)))


def test_what_users_do_is_not_excused_by_what_they_ask() -> None:
    script = replace(HARDER, metrics={"prompt_injection": 0.02}, route_effect={"/search": 6.0})
    assert failures(feed(Detection(METRICS), asked(script)))


def test_a_scorer_with_a_new_version_and_another_scale_is_recalibrated_not_alarmed() -> None:
    def scale(name: str, t: float, value: float) -> float:
        return min(1.0, value + 0.3) if name == "ungrounded_answer" and t >= FAULT_S else value

    script = Script(seconds=HOURS_3, scale=scale, scorer_version=((0.0, "1"), (FAULT_S, "2")))
    assert not [e for e in replay(script) if e.metric == "ungrounded_answer"]


def test_after_a_recalibration_faults_are_still_found() -> None:
    script = Script(
        seconds=HOURS_3,
        scorer_version=((0.0, "1"), (2000.0, "2")),
        faults=[Fault(7000.0, "ungrounded_answer", 0.4)],
    )
    assert any(s.metric == "ungrounded_answer" and seconds(s.detected_ns) > 7000 for s in failures(replay(script)))


def test_hourly_noise_is_no_failure() -> None:
    assert not failures(replay(Script(seconds=86_400, rate=0.05, noise=0.2, seed=6)))


def test_a_surge_of_traffic_is_no_failure() -> None:
    assert not failures(replay(Script(seconds=8000, surge=(5000.0, 7000.0, 4.0), rate=0.3)))


def test_one_user_with_many_attacks_is_named() -> None:
    rates = {"prompt_injection": 0.005}
    attack = Fault(2000.0, "prompt_injection", 1.0, {"user": "u7"})
    found = replay(Script(seconds=4000, faults=[attack], rate=4.0, metrics=rates))
    assert any(s.segment.conditions == {"user": "u7"} for s in found if isinstance(s, Signal))


def test_a_graded_score_that_is_far_off_in_some_calls_is_found_although_its_mean_stays() -> None:
    script = Script(seconds=FAULT_S + 900, faults=[Fault(FAULT_S, "relevance", 0.55, share=0.12)])
    found = failures(replay(script))
    assert {(s.metric, s.detector) for s in found} == {("relevance", "sr_mixture_outlier_down")}
    assert "clearly worse than usual" in found[0].reason


@pytest.mark.parametrize("seed", [4, 11, 14])
def test_a_narrow_score_whose_mean_drifts_from_hour_to_hour_has_not_failed(seed: int) -> None:
    script = Script(seconds=12 * 3600, rate=0.06, seed=seed, noise=0.2, seasonal=0.3, metrics={"relevance": 0.92})
    assert not failures(replay(script))


def of_tenants(script: Script, share: float, names: tuple[str, ...]) -> list[ScoredTrace]:
    """The script's traces, of which from the middle on a share belongs to these tenants instead, each call to another user."""
    random, found = np.random.default_rng(3), list[ScoredTrace]()
    for number, one in enumerate(traffic(script)):
        call = one.trace.root
        if 2 * (call.end_ns - START_NS) > script.seconds * 1e9 and random.random() < share:
            tenant = names[int(random.integers(len(names)))]
            call = msgspec.structs.replace(
                call, dimensions={**call.dimensions, "tenant": (tenant,), "user": (f"{tenant}{number}",)}
            )
        found.append(ScoredTrace(Trace(one.trace.trace_id, (call,)), one.scores, one.failures))
    return found


def attacked(traces: list[ScoredTrace], tenant: str, share: float) -> list[ScoredTrace]:
    """The same, but a share of this tenant's calls are attacks."""
    random, found = np.random.default_rng(4), list[ScoredTrace]()
    for one in traces:
        if one.trace.dimensions["tenant"] == (tenant,) and random.random() < share:
            scores = tuple(msgspec.structs.replace(s, value=1.0) if s.metric == "prompt_injection" else s for s in one.scores)
            one = ScoredTrace(one.trace, scores)
        found.append(one)
    return found


ABUSE = Script(seconds=12_000, rate=0.5, metrics={"prompt_injection": 0.005, "refusal": 0.03})


def test_a_campaign_spread_over_many_users_of_a_new_tenant_is_found_as_that_tenant() -> None:
    traces = attacked(of_tenants(ABUSE, 0.05, ("newcomer",)), "newcomer", 0.25)
    found = failures(feed(Detection(METRICS), traces))
    assert found[0].segment.conditions == {"tenant": "newcomer"}
    before = sum(t.trace.dimensions["tenant"] == ("newcomer",) and t.trace.end_ns <= found[0].detected_ns for t in traces)
    assert before < 60, "fewer calls than any other new segment would only learn from"


def test_new_tenants_without_attacks_are_welcome() -> None:
    names = tuple(f"new{number}" for number in range(12))
    assert not failures(feed(Detection(METRICS), of_tenants(ABUSE, 0.3, names)))


KINDS = {name: METRICS[name] for name in ("ungrounded_answer", "relevance", "error")}
NULL, MANY = 0.1, 10**6


def disturbed(seed: int) -> list[ScoredTrace]:
    """Calls that come twice, late, out of order, with some of their scores missing or on a span of their own."""
    rng, found = np.random.default_rng(seed), list[tuple[float, ScoredTrace]]()
    rates = {"ungrounded_answer": 0.1, "relevance": 0.9, "error": 0.05}
    for one in traffic(Script(seconds=900, seed=seed, metrics=rates)):
        root = one.trace.calls[0]
        tool = msgspec.structs.replace(
            root, span_id="b" * 16, parent_span_id=root.span_id, dimensions={**root.dimensions, "tool": ("search",)}
        )
        calls = (root, tool) if rng.random() < 0.4 else (root,)
        kept = [s for s in one.scores if rng.random() < 0.8]
        scores = tuple(msgspec.structs.replace(s, span_id=calls[-1].span_id) if s.metric == "error" else s for s in kept)
        trace = ScoredTrace(Trace(one.trace.trace_id, calls), scores)
        delay = 7200e9 if rng.random() < 0.02 else rng.uniform(0, 40e9)
        found.append((root.end_ns + delay, trace))
        if rng.random() < 0.2:
            found.append((root.end_ns + delay + rng.uniform(0, 90e9), ScoredTrace(trace.trace, one.scores[:1])))
    return [trace for _, trace in sorted(found, key=lambda item: item[0])]


def straightforward(traces: list[ScoredTrace]) -> dict[tuple[str, str], list[tuple[float, float, int]]]:
    """Segment and metric → (x, value, event time) of each observation, one score at a time."""
    found, done, reached = dict[tuple[str, str], list[tuple[float, float, int]]](), set[tuple[str, str, str]](), 0
    for one in traces:
        fresh = [s for s in one.scores if (s.trace_id, s.span_id, s.metric) not in done]
        done |= {(s.trace_id, s.span_id, s.metric) for s in one.scores}
        end = max(call.end_ns for call in one.trace.calls)
        if not fresh or end < reached - 300e9:
            continue
        reached = max(reached, end)
        for score in fresh:
            call = next(c for c in one.trace.calls if c.span_id == score.span_id)
            watched = {d: v for d, v in call.dimensions.items() if d not in ("service.name", "user")}
            x = 1 - score.value if score.metric == "relevance" else score.value
            for segment in ("support", *(f"support[{d}={v}]" for d, values in watched.items() for v in values)):
                found.setdefault((segment, score.metric), []).append((x, score.value, reached))
    return found


@pytest.mark.parametrize("cut", [1, 17, MANY])
@pytest.mark.parametrize("seed", [1, 2])
def test_all_streams_at_once_give_what_each_score_alone_gives(seed: int, cut: int) -> None:
    traces = disturbed(seed)
    detection = Detection(KINDS, DetectPolicy(chunk_traces=MANY, reference_calls=MANY, late_s=300.0))
    half = len(traces) // 2
    feed(detection, traces[:half], cut)
    watch = detection._detectors["sequential"]._watch  # type: ignore[attr-defined]
    s, index, columns = watch.streams, watch.ground.index, watch.ground.table.columns
    before = s.totals[: s.size, N].copy()
    s.mode[: s.size], s.null[: s.size], s.threshold[: s.size] = WATCHING, NULL, 1e300
    feed(detection, traces[half:], cut)
    assert {"duplicate", "late"} <= set(detection.skipped)
    expected = straightforward(traces)
    pairs = zip(s.segment[: s.size].tolist(), s.column[: s.size].tolist(), strict=True)
    assert {(str(index.segments[g]), columns[c].metric) for g, c in pairs} == set(expected)
    stake = stakes(np.array([NULL]))[0]
    for row in range(len(before)):
        told = np.array(expected[str(index.segments[s.segment[row]]), columns[s.column[row]].metric])
        assert np.allclose(s.totals[row], [len(told), told[:, 0].sum(), (told[:, 0] ** 2).sum(), told[:, 1].sum()])
        assert s.last_ns[row] == told[-1, 2]
        r, w, zero = np.zeros(K), np.ones(K), -1
        for number, (x, _, _) in enumerate(told[int(before[row]) :].tolist(), start=int(before[row])):
            r, w = (1 + r) * (1 + stake * (x - NULL)), np.maximum(w * (1 + stake * (x - NULL)), 1)
            zero = number if w[1] <= 1 else zero
        assert np.allclose(s.evidence[row], r, rtol=1e-9)
        assert np.allclose(s.cusum[row], w, rtol=1e-9) or not len(told) > before[row]
        if zero >= 0:
            known = told[: zero + 1]
            assert np.allclose(s.zero[row, 1, :4], [zero + 1, known[:, 0].sum(), (known[:, 0] ** 2).sum(), known[:, 1].sum()])
            assert s.zero[row, 1, TIME] == known[-1, 2]
