from holdfast.core.call import Kind, Message
from holdfast.score.agent_failure import WEIGHTS, agent_failure, agent_features
from tests.score.build import ANSWER, call, llm, tool, trace

GOOD = trace(tool('{"status": "ok"}', span=4), llm("Here is your final answer: 30 days.", span=5))


def test_every_feature_has_a_weight() -> None:
    assert set(agent_features(GOOD)) == set(WEIGHTS) - {"intercept"}


def test_an_error_of_a_tool_raises_the_probability() -> None:
    failed = trace(tool('{"error": "no such order"}', span=4), llm("Here is your final answer: 30 days.", span=5))
    assert agent_features(failed)["errors"] == 1
    assert agent_failure(failed) > agent_failure(GOOD)


def test_the_same_call_again_and_again_raises_it() -> None:
    again = trace(*(tool("nothing yet", span=i) for i in range(4, 12)), llm("The final answer is 3.", span=20))
    assert agent_features(again)["repeated"] == 3
    assert agent_features(again)["loop"] > 0.5
    assert agent_failure(again) > 0.5


def test_a_run_that_just_stops_raises_it() -> None:
    assert agent_features(trace(llm("Let me see what else I can do.")))["unfinished"] == 1
    assert agent_features(GOOD)["unfinished"] == 0


def test_made_up_data_and_failed_code_are_doubts() -> None:
    messages = tuple(Message("user", t) for t in ("task", "plan", "exitcode: 1 (execution failed)", "I use simulated data."))
    found = agent_features(trace(llm("The final answer is 4.", input_messages=messages)))
    assert (found["execution"], found["doubt"]) == (1, 1)


def test_handing_over_is_no_failure() -> None:
    handed = trace(tool("ok", name="transfer_to_human_agents", span=4), llm("Thank you.", span=5))
    assert agent_failure(handed) < agent_failure(GOOD) + 0.01
    assert agent_features(handed)["handed_over"] == 1


def test_a_run_without_a_model_call_is_survived() -> None:
    assert 0 < agent_failure(trace(call(Kind.WORKFLOW))) < 1
    assert 0 < agent_failure(trace(llm(ANSWER))) < 1
