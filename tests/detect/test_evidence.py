import numpy as np

from holdfast.detect.evidence import MAX_ASKED, MAX_BAD, MAX_TRACES, Asked, BadCall, Evidence, exemplars


def bad(time_ns: int, badness: float, trace: str, segments: tuple[int, ...] = (0, 1)) -> BadCall:
    return BadCall(time_ns, badness, trace, "s", "why", segments, "u")


def test_the_worst_calls_of_the_segment_since_the_onset_are_shown_first_and_once_per_trace() -> None:
    evidence = Evidence()
    for call in (bad(1, 1.0, "old"), bad(5, 0.6, "a"), bad(6, 0.9, "b"), bad(7, 0.7, "a"), bad(8, 0.95, "far", (0, 2))):
        evidence.found(0, 3, call)
    assert [(c.trace_id, c.badness) for c in evidence.bad_between(0, 3, 1, (5, 9))] == [("b", 0.9), ("a", 0.7)]
    assert [c.trace_id for c in evidence.bad_between(0, 3, 0, (5, 9))] == ["far", "b", "a"]
    assert [c.trace_id for c in evidence.bad_between(0, 3, 0, (5, 7))] == ["b", "a"]


def test_nothing_found_is_nothing_shown() -> None:
    assert exemplars(Evidence().bad_between(0, 0, 0, (0, 10**9))) == ()


def test_exemplars_are_at_most_five() -> None:
    assert len(exemplars([bad(i, 0.5, str(i)) for i in range(20)])) == 5


def test_memory_is_bounded() -> None:
    evidence = Evidence()
    for i in range(MAX_TRACES + 50):
        evidence.saw(0, [(i, (0,))])
        evidence.found(0, 0, bad(i, 1.0, str(i)))
    assert len(list(evidence.traces_between(0, 0, (0, 10**9)))) == MAX_TRACES
    assert len(evidence.bad_between(0, 0, 0, (0, 10**9))) == MAX_BAD


def test_only_traces_of_the_segment_and_the_period_count_for_the_mix() -> None:
    evidence = Evidence()
    for i in range(10):
        evidence.saw(0, [(i, (0, 1) if i % 2 else (0, 2))])
    assert evidence.traces_between(0, 1, (4, 8)) == [(0, 1), (0, 1)]
    assert evidence.traces_between(0, 0, (8, 9)) == [(0, 1), (0, 2)]
    assert evidence.traces_between(7, 7, (0, 9)) == []
    assert evidence.recent(0)[0] == (0, 2)


def test_what_is_forgotten_is_in_no_trace_and_no_bad_call_any_more() -> None:
    evidence = Evidence()
    evidence.saw(0, [(1, (0, 1, 2))])
    evidence.found(0, 3, bad(5, 0.6, "a"))
    assert evidence.bad_between(0, 3, 1, (0, 9))
    evidence.forget([1])
    assert evidence.recent(0) == [(0, 2)]
    assert evidence.bad_between(0, 3, 1, (0, 9)) == []
    assert len(evidence.bad_between(0, 3, 0, (0, 9))) == 1


def asked(time_ns: int, kind: int, segments: tuple[int, ...], *x: float) -> Asked:
    return Asked(time_ns, kind, segments, np.array(x, np.float16).tobytes())


def told(evidence: Evidence, column: int, segment: int) -> list[tuple[int, int, float]]:
    return [*zip(*(of.tolist() for of in evidence.asked(0, column, segment)), strict=True)]


def test_of_requests_by_kind_only_those_of_the_segment_count_of_which_the_column_said_something() -> None:
    evidence = Evidence()
    for request in (asked(1, 0, (0, 1), 0.5, 0.25), asked(2, 1, (0, 2), 1.0, np.nan), asked(3, 1, (0, 1), 0.75)):
        evidence.was_asked(0, request)
    assert told(evidence, 0, 0) == [(1, 0, 0.5), (2, 1, 1.0), (3, 1, 0.75)]
    assert told(evidence, 0, 1) == [(1, 0, 0.5), (3, 1, 0.75)]
    assert told(evidence, 1, 0) == [(1, 0, 0.25)]
    assert told(evidence, 2, 0) == told(Evidence(), 0, 0) == []


def test_requests_by_kind_are_bounded_and_can_be_forgotten() -> None:
    evidence = Evidence()
    for i in range(MAX_ASKED + 5):
        evidence.was_asked(0, asked(i, 0, (0, 1), 0.5))
    assert len(told(evidence, 0, 1)) == MAX_ASKED
    evidence.forget([1])
    assert (len(told(evidence, 0, 1)), len(told(evidence, 0, 0))) == (0, MAX_ASKED)
    evidence.drop(0)
    assert told(evidence, 0, 0) == []


def test_a_snapshot_is_exact() -> None:
    evidence, again = Evidence(), Evidence()
    evidence.was_asked(0, asked(1, 0, (0, 1), 0.5))
    evidence.saw(0, [(1, (0, 1))])
    evidence.found(0, 3, bad(5, 0.6, "a"))
    again.load(evidence.state())
    assert again.bad_between(0, 3, 1, (0, 9)) == evidence.bad_between(0, 3, 1, (0, 9))
    assert told(again, 0, 1) == [(1, 0, 0.5)]
    assert list(again.traces_between(0, 1, (0, 9))) == [(0, 1)]


def test_an_application_that_is_dropped_leaves_nothing_behind_and_others_stay() -> None:
    evidence = Evidence()
    for app in (0, 7):
        evidence.saw(app, [(1, (app,))])
        evidence.found(app, 3, bad(1, 1.0, "t", (app,)))
    evidence.drop(0)
    assert not evidence.recent(0)
    assert not evidence.bad_between(0, 3, 0, (0, 9))
    assert evidence.recent(7) == [(7,)]
    assert evidence.bad_between(7, 3, 7, (0, 9))


def test_requests_from_a_time_on_are_the_last_of_all() -> None:
    evidence = Evidence()
    for i in range(6):
        evidence.was_asked(0, asked(10 + i, i % 2, (0, 1 + i % 2), i / 8))
    for segment in (0, 1, 2):
        every = [of.tolist() for of in evidence.asked(0, 0, segment)]
        late = [of.tolist() for of in evidence.asked(0, 0, segment, 12)]
        assert late == [of[-len(late[0]) :] for of in every]
        assert late[0] == [time_ns for time_ns in every[0] if time_ns >= 12]
    assert [len(of) for of in evidence.asked(0, 0, 0, 99)] == [0, 0, 0]
