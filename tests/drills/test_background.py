from holdfast.core.change import ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.drills.application import load_application
from holdfast.drills.background import Benign, background, change_of
from holdfast.drills.scenario import START_NS, Scenario, prepare
from holdfast.drills.script import perform
from holdfast.drills.turn import Stage
from tests.drills.turns import a_turn

SUPPORT = load_application("support")
DAY_S = 86400.0


def test_there_are_several_harmless_changes_a_day_in_order() -> None:
    times = [benign.change.time_ns for benign in background(SUPPORT, 3, START_NS, DAY_S)]
    assert 2 <= len(times) <= 12
    assert times == sorted(times)
    assert times[0] >= START_NS
    assert times[-1] < START_NS + DAY_S * NS_PER_S


def test_the_same_seed_makes_the_same_changes() -> None:
    assert background(SUPPORT, 3, START_NS, DAY_S) == background(SUPPORT, 3, START_NS, DAY_S)


def test_one_harmless_change_is_close_to_the_onset_so_that_the_latest_change_is_no_proof() -> None:
    for seed in range(20):
        play = prepare(Scenario(fault="grounding_rule_dropped", seed=seed, calls=10))
        onset = play.injections[0].onset_ns
        assert any(abs(benign.change.time_ns - onset) <= 1800 * NS_PER_S for benign in play.benign)


def test_harmless_changes_leave_the_version_alone_that_the_fault_changed() -> None:
    for seed in range(30):
        play = prepare(Scenario(fault="grounding_rule_dropped", seed=seed, calls=10))
        assert all((b.dimension, b.scope.get("route")) != ("prompt.version", "/chat") for b in play.benign)


def test_change_ids_are_unique() -> None:
    ids = [benign.change.id for benign in background(SUPPORT, 3, START_NS, 30 * DAY_S)]
    assert len(set(ids)) == len(ids)


def a_benign(time_ns: int) -> Benign:
    change = change_of(SUPPORT, ChangeKind.PROMPT, time_ns, "system-prompt", ("chat-v7", "chat-v8"), {"route": "/chat"})
    return Benign(change, "prompt.version", {"route": "/chat"}, "chat-v8", " Be concise.")


def test_a_prompt_deploy_gives_its_route_a_new_version_and_wording() -> None:
    turn = a_turn("/chat")
    perform(turn, a_benign(START_NS).apply)
    assert turn.prompt_version == "chat-v8"
    assert turn.system_prompt.count(" Be concise.") == 1


def test_a_deploy_does_nothing_before_its_time_or_elsewhere() -> None:
    early, elsewhere = a_turn("/chat"), a_turn("/orders")
    a_benign(early.request.time_ns + 1).apply(early, Stage.RECEIVED)
    a_benign(START_NS).apply(elsewhere, Stage.RECEIVED)
    assert early.prompt_version == "chat-v7"
    assert elsewhere.prompt_version == "orders-v3"
