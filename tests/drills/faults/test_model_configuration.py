from collections import Counter

from holdfast.core.call import Kind, Status
from tests.drills.effects import means, refuses, tool_errors, traces_of, unsupported_numbers, words


def test_a_high_temperature_is_reported_and_brings_strange_words() -> None:
    _, struck = traces_of("temperature_too_high")
    assert all(call.parameters["temperature"] == 1.8 for t in struck for call in t.llm_calls)
    before, after = means("temperature_too_high", lambda t: words(t) if t.documents else None)
    assert after > before
    assert means("temperature_too_high", unsupported_numbers)[1] > 0.2


def test_a_low_limit_cuts_answers_with_the_finish_reason_length() -> None:
    _, struck = traces_of("max_tokens_too_low")
    assert all(t.answering is not None and t.answering.finish_reasons == ("length",) for t in struck)
    assert means("max_tokens_too_low", words)[1] < means("max_tokens_too_low", words)[0]


def test_the_small_model_is_cheaper_faster_and_worse() -> None:
    cost = means("wrong_model_routed", lambda t: sum(c.cost_usd or 0 for c in t.llm_calls))
    time = means("wrong_model_routed", lambda t: t.llm_calls[-1].duration_ms)
    assert cost[1] < cost[0] / 5
    assert time[1] < time[0]


def test_a_loop_repeats_its_sentence() -> None:
    def repeats(t: object) -> float:
        sentences = Counter(getattr(t, "model_answer", "").split(". "))
        return float(max(sentences.values()))

    assert means("repetition_loop", repeats)[1] > 4


def test_a_silent_update_shows_in_the_fingerprint_and_the_tone_only() -> None:
    healthy, struck = traces_of("silent_model_update")
    prints = [{c.system_fingerprint for t in ts for c in t.llm_calls} for ts in (healthy, struck)]
    assert prints[0].isdisjoint(prints[1])
    assert {t.llm_calls[0].response_model for t in struck} == {t.llm_calls[0].response_model for t in healthy}


def test_a_degraded_replica_is_bad_in_one_region() -> None:
    _, struck = traces_of("degraded_replica")
    assert len({t.dimensions["region"] for t in struck}) == 1
    assert means("degraded_replica", unsupported_numbers)[1] > 0.1


def test_a_wrong_stop_sequence_shortens_answers_that_claim_to_be_finished() -> None:
    before, after = means("stop_sequence_wrong", words)
    assert after < 0.6 * before
    finished = [t.llm_calls[-1].finish_reasons == ("stop",) for t in traces_of("stop_sequence_wrong")[1]]
    assert sum(finished) > 0.9 * len(finished)


def test_an_overflow_fails_or_loses_the_middle_of_long_inputs() -> None:
    errors = means("context_window_overflow", lambda t: float(t.root.status is Status.ERROR))
    assert errors[0] == 0
    assert 0.3 < errors[1] < 0.7


def test_an_outage_brings_errors_and_waiting() -> None:
    assert means("provider_outage", lambda t: float(t.root.status is Status.ERROR))[1] > 0.3
    latency = means("provider_outage", lambda t: t.root.duration_ms)
    assert latency[1] > 2 * latency[0]


def test_without_tool_choice_no_tool_is_called_and_answers_are_made_up() -> None:
    assert means("tool_choice_off", lambda t: float(len(t.of_kind(Kind.TOOL))))[1] == 0
    assert means("tool_choice_off", unsupported_numbers)[1] > 0.5


def test_cross_talk_gives_a_few_answers_to_many_questions() -> None:
    _, struck = traces_of("cache_cross_talk")
    most = Counter(t.model_answer for t in struck).most_common(1)[0][1]
    assert most >= 3
    assert all(t.llm_calls[-1].cache_hit for t in struck)


def test_a_guard_that_is_down_says_error_and_never_allow() -> None:
    _, struck = traces_of("guard_model_down")
    verdicts = {g.verdict for t in struck for c in t.calls for g in c.guardrails}
    assert verdicts == {"error"}
    assert means("guard_model_down", tool_errors)[1] < 0.1
    assert means("guard_model_down", refuses)[1] < 0.1
