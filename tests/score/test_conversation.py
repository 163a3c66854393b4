from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import Message
from holdfast.core.trace import Trace
from holdfast.score.conversation import MAX_DETAILS, MAX_SERVICES, MAX_TURNS, RECENT, Conversation
from holdfast.score.run import Scoring
from tests.score.build import llm, scores, trace, value

RING = "Is the ruby ring of my sister ready?", "The ruby ring is ready since Friday."
BOAT = "When does the boat to Askim leave?", "The boat leaves at noon from the old pier."
SYSTEM = "You are the keeper of the inn. The guest is called {}."


def turn(
    exchange: tuple[str, str],
    conversation: str = "c1",
    user: str = "",
    earlier: tuple[tuple[str, str], ...] = (),
    system: str = "You are the keeper of the inn.",
    **dimensions: str,
) -> Trace:
    """One request of a conversation, with these exchanges before it in the prompt."""
    where = {"service.name": ("inn",), **({"user": (user,)} if user else {}), **{k: (v,) for k, v in dimensions.items()}}
    history = [m for asked, said in earlier for m in (Message("user", asked), Message("assistant", said))]
    messages = (Message("system", system), *history, Message("user", exchange[0]))
    return trace(llm(exchange[1], input_messages=messages, conversation_id=conversation, dimensions=where))


def warm(*before: Trace) -> Conversation:
    """One that speaks from the first request on, and has seen these."""
    scorer = Conversation(learning=0).fresh()
    for each in before:
        list(scorer.score(each))
    return scorer


def history(scorer: Conversation, subject: Trace) -> float:
    return value(scorer, subject, "foreign_history")


def detail(scorer: Conversation, subject: Trace) -> float:
    return value(scorer, subject, "foreign_detail")


def test_a_turn_of_another_conversation_in_the_history_is_foreign() -> None:
    found = scores(warm(turn(RING, "theirs")), turn(BOAT, "mine", earlier=(RING,)))["foreign_history"]
    assert found.value == 1.0
    assert "ruby ring" in found.why


def test_the_conversations_own_turns_are_not() -> None:
    assert history(warm(turn(RING), turn(RING, "theirs")), turn(BOAT, earlier=(RING,))) == 0.0


def test_layout_and_case_make_no_other_turn() -> None:
    loud = RING[0].upper(), f"**{RING[1]}**"
    assert history(warm(turn(RING, "theirs")), turn(BOAT, "mine", earlier=(loud,))) == 1.0


def test_what_a_user_said_in_another_conversation_of_theirs_is_remembered_for_them() -> None:
    scorer = warm(turn(RING, "yesterday", user="ada"))
    assert history(scorer, turn(BOAT, "today", user="ada", earlier=(RING,))) == 0.0
    assert history(scorer, turn(BOAT, "other", user="bob", earlier=(RING,))) == 1.0


@pytest.mark.parametrize(
    "earlier",
    [(), (("Thank you!", "My pleasure."),), (("Nobody ever asked this before.", "Nor was it answered to anyone."),)],
    ids=["no history", "courtesies", "turns that nobody had"],
)
def test_what_nobody_else_said_is_not_foreign(earlier: tuple[tuple[str, str], ...]) -> None:
    courteous = ("Thank you!", "My pleasure.")
    assert history(warm(turn(RING, "theirs"), turn(courteous, "theirs")), turn(BOAT, "mine", earlier=earlier)) == 0.0


def test_the_question_itself_may_be_anybodys() -> None:
    assert history(warm(turn(RING, "theirs")), turn(RING, "mine")) == 0.0


def test_what_several_others_said_lately_is_anybodys() -> None:
    scorer = warm(turn(RING, "theirs"), turn(RING, "a third one's"))
    assert history(scorer, turn(BOAT, "mine", earlier=(RING,))) == 0.0


def test_where_most_turns_were_never_seen_when_they_were_said_nothing_is() -> None:
    scorer, mine = Conversation(learning=0).fresh(), "mine"
    for number in range(60):
        list(scorer.score(turn(BOAT, f"c{number}", earlier=((f"A question that came by phone, number {number}.", RING[1]),))))
    list(scorer.score(turn(RING, "theirs")))
    assert "foreign_history" not in scores(scorer, turn(BOAT, mine, earlier=(RING,)))


def test_another_application_does_not_count() -> None:
    other = trace(llm(RING[1], RING[0], conversation_id="theirs", dimensions={"service.name": ("forge",)}))
    assert history(warm(other), turn(BOAT, "mine", earlier=(RING,))) == 0.0


def test_what_was_said_long_ago_is_forgotten() -> None:
    scorer = warm(turn(RING, "theirs"))
    for number in range(RECENT):
        list(scorer.score(turn((f"May I have room {number} for tonight?", f"Room {number} is free, come in."), f"c{number}")))
    assert history(scorer, turn(BOAT, "mine", earlier=(RING,))) == 0.0


def guest(name: str, user: str, answer: str = "Come in and sit down by the fire.", **more: Any) -> Trace:
    """A request of a guest whom the prompt names."""
    return turn((BOAT[0], answer), user, user=user, system=SYSTEM.format(name), **more)


def crowd(count: int = 30) -> list[Trace]:
    """Requests of other guests, all with names of their own."""
    return [guest("A" + "bcdefghijklmnopqrstuvwxyzbcdefghij"[n : n + 4], f"user{n}") for n in range(count)]


NAMES = "As you told me last night, {}, the boat is yours."


def test_an_answer_that_names_somebody_elses_name_is_a_mix_up() -> None:
    scorer = warm(*crowd(), guest("Oakheart", "u1"))
    found = scores(scorer, guest("Ferra", "u2", NAMES.format("Oakheart")))["foreign_detail"]
    assert found.value > 0.5
    assert "Oakheart" in found.why


@pytest.mark.parametrize(
    "answer",
    [
        NAMES.format("Ferra"),
        NAMES.format("Zebulon"),
        "Hello Oakheart, the boat leaves at noon.",
        "The boat leaves at noon.",
        "Oakheart timber floats well.",
    ],
    ids=["the own name", "a name that nobody has", "a greeting", "no name", "the first word of a sentence"],
)
def test_other_answers_are_none(answer: str) -> None:
    assert detail(warm(*crowd(), guest("Oakheart", "u1")), guest("Ferra", "u2", answer)) < 0.1


def test_a_name_with_which_a_sentence_turns_to_somebody_counts() -> None:
    scorer = warm(*crowd(), guest("Oakheart", "u1"))
    assert detail(scorer, guest("Ferra", "u2", "So be it. Oakheart, you asked about the necklace.")) > 0.5


def test_a_reference_of_another_request_counts() -> None:
    theirs = turn(("My booking TX7655145 is not paid yet.", "I see."), "u1")
    assert detail(warm(*crowd(), theirs), turn((BOAT[0], "Your booking TX7655145 is paid."), "u2")) > 0.5


def test_a_name_that_many_prompts_have_is_nobodys_own() -> None:
    places = [turn((f"Is the road to Hollowmere free, for cart {n}?", "It is."), f"c{n}") for n in range(10)]
    assert detail(warm(*crowd(), *places), guest("Ferra", "u2", NAMES.format("Hollowmere"))) < 0.1


def test_a_name_in_the_own_documents_or_history_is_known() -> None:
    scorer = warm(*crowd(), guest("Oakheart", "u1"))
    own = guest("Ferra", "u2", NAMES.format("Oakheart"), earlier=(("I am the sister of Oakheart.", "Be welcome here, both."),))
    assert detail(scorer, own) < 0.1


def test_in_a_language_where_all_nouns_have_capitals_names_cannot_be_told() -> None:
    scorer = warm(*crowd(), guest("Oakheart", "u1"))
    assert detail(scorer, guest("Ferra", "u2", NAMES.format("Oakheart"), language="de")) < 0.1


def test_the_same_user_in_another_conversation_is_nobody_else() -> None:
    scorer = warm(*crowd(), turn((BOAT[0], "Yes."), "c1", user="u1", system=SYSTEM.format("Oakheart")))
    assert detail(scorer, turn((BOAT[0], NAMES.format("Oakheart")), "c2", user="u1")) < 0.1


@pytest.mark.parametrize(
    "subject",
    [turn(BOAT, ""), trace(), turn((BOAT[0], ""), "")],
    ids=["nobody told apart", "no conversation", "no answer"],
)
def test_where_nobody_is_told_apart_nothing_is_said(subject: Trace) -> None:
    assert not scores(warm(), subject)


def test_a_user_without_a_conversation_has_details_and_no_history() -> None:
    assert set(scores(warm(), turn(BOAT, "", user="ada"))) == {"foreign_detail"}


def test_nothing_is_said_while_the_memory_fills() -> None:
    scorer = Conversation(learning=3).fresh()
    assert [bool(scores(scorer, turn(BOAT))) for _ in range(5)] == [False] * 3 + [True] * 2


def test_memories_survive_a_restart() -> None:
    before = warm(*crowd(), turn(RING, "theirs"), guest("Oakheart", "u1"))
    after = Conversation(learning=0).fresh()
    after.restore(before.snapshot())
    for subject in (turn(BOAT, "mine", earlier=(RING,)), guest("Ferra", "u2", NAMES.format("Oakheart"))):
        assert list(after.score(subject)) == list(before.score(subject))


def test_what_is_no_memory_is_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        Conversation().fresh().restore(b"\x91\xc0")


def test_memory_has_bounds() -> None:
    memory = Conversation().fresh()._memory
    for number in range(MAX_DETAILS + MAX_TURNS):
        memory.remember(number)
        memory.give(number, 1)
    for number in range(MAX_SERVICES + 5):
        memory.of(f"application {number}")
    assert (len(memory.turns), len(memory.details), len(memory.applications)) == (MAX_TURNS, MAX_DETAILS, MAX_SERVICES)
    for number in range(2 * RECENT):
        memory.of("application 99").remember(number)
    assert len(memory.of("application 99").recent) == RECENT


def test_two_runners_share_no_memory() -> None:
    scorer = Conversation(learning=0)
    first, second = Scoring([scorer]), Scoring([scorer])
    first.score([turn(RING, "theirs")])
    (alone,) = second.score([turn(BOAT, "mine", earlier=(RING,))])
    assert [s.value for s in alone.scores if s.metric == "foreign_history"] == [0.0]


def test_texts_are_not_kept() -> None:
    snapshot = warm(turn(RING, "theirs"), guest("Oakheart", "u1")).snapshot()
    assert b"ruby" not in snapshot
    assert b"Oakheart" not in snapshot


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_read(asked: str, said: str) -> None:
    found = scores(warm(turn((said, asked), "theirs")), turn((asked, said), "mine", earlier=((said, asked),)))
    assert all(0.0 <= score.value <= 1.0 for score in found.values())
