from holdfast.drills.scenario import Scenario, TraceSteps, play, prepare


def halves(name: str, calls: int = 1500) -> tuple[list[TraceSteps], list[TraceSteps]]:
    prepared = prepare(Scenario(decoy=name, calls=calls, fault_at=0.5))
    traces = list(play(prepared))
    moment = prepared.moment_ns
    return [t for t in traces if t.calls[0].start_ns < moment], [t for t in traces if t.calls[0].start_ns >= moment]


def share(traces: list[TraceSteps], dimension: str, value: str) -> float:
    return sum(value in t.calls[0].dimensions.get(dimension, ()) for t in traces) / len(traces)


def test_a_mix_shift_moves_routes_and_languages() -> None:
    before, after = halves("traffic_mix_shift")
    assert share(after, "route", "/orders") > 1.5 * share(before, "route", "/orders")


def test_a_small_tenant_becomes_large() -> None:
    before, after = halves("new_big_tenant")
    assert share(after, "tenant", "larch") > 4 * share(before, "tenant", "larch")


def test_trigger_words_appear_in_questions_and_answers_stay_good() -> None:
    before, after = halves("trigger_words", 800)
    triggers = ("ignore all previous", "prompt injection", "system prompt", "kill the process", "bomb down", "forget the rules")
    shares = [sum(any(w in t.calls[0].input_text for w in triggers) for t in ts) / len(ts) for ts in (before, after)]
    assert shares[0] < 0.02
    assert shares[1] > 0.15


def test_users_who_explain_write_more() -> None:
    before, after = halves("longer_questions", 600)
    lengths = [sum(len(t.calls[0].input_text) for t in ts) / len(ts) for ts in (before, after)]
    assert lengths[1] > lengths[0] + 40
