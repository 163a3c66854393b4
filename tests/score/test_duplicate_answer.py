import msgspec
import pytest

from holdfast.score.duplicate_answer import MAX_SERVICES, DuplicateAnswer
from tests.score.build import exchange, llm, scores, trace, value

ANSWER = "The invoice of May was paid on the third and a copy was sent to your office in Bergen."
SHORT = "Thank you, goodbye!"


def warm(window: int = 300, canned: int = 30) -> DuplicateAnswer:
    """One that speaks from the first answer on."""
    return DuplicateAnswer(window=window, canned=canned, learning=0)


def test_the_same_answer_to_a_different_question_is_a_mix_up() -> None:
    scorer = warm()
    first = value(scorer, exchange(ANSWER, "Was the invoice of May paid?"))
    second = value(scorer, exchange(ANSWER, "How can I reset my password?"))
    assert first < 0.1 < 0.8 < second


def test_the_same_answer_to_the_same_question_is_fine() -> None:
    scorer = warm()
    value(scorer, exchange(ANSWER, "Was the invoice of May paid?"))
    assert value(scorer, exchange(ANSWER, "was the May invoice paid")) < 0.1


def test_layout_and_case_make_no_other_answer() -> None:
    scorer = warm()
    value(scorer, exchange(ANSWER, "Was the invoice of May paid?"))
    assert value(scorer, exchange(f"**{ANSWER.upper()}**", "How can I reset my password?")) > 0.8


def test_another_application_does_not_count() -> None:
    scorer = warm()
    value(scorer, trace(llm(ANSWER, "Was the invoice paid?", dimensions={"service.name": ("billing",)})))
    assert value(scorer, exchange(ANSWER, "How can I reset my password?")) < 0.1


def test_a_stock_phrase_is_no_mix_up_for_ever() -> None:
    scorer = warm(canned=5)
    values = [value(scorer, exchange(ANSWER, f"topic{i} subject{i} {'invoice' if i == 0 else 'matter'}")) for i in range(10)]
    assert values[2] > 0.8
    assert values[-1] < 0.1


def test_a_phrase_that_was_about_no_question_is_nobodys_answer() -> None:
    scorer = warm()
    phrase = "Something went wrong at our end just now; please come back in a few minutes and write to us again."
    assert [value(scorer, exchange(phrase, f"How do I pay invoice {i} of {month}?")) < 0.1 for i, month in enumerate("abc")] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("answer", "question"), [(SHORT, "Was it paid?"), ("", "Was it paid?"), (ANSWER, ""), (ANSWER, "and the?")]
)
def test_short_answers_and_empty_questions_are_skipped(answer: str, question: str) -> None:
    assert not scores(warm(), exchange(answer, question))


def test_only_the_window_is_remembered() -> None:
    scorer = warm(window=3)
    value(scorer, exchange(ANSWER, "Was the invoice of May paid?"))
    for i in range(3):
        value(scorer, exchange(f"{ANSWER} number {i}", f"topic{i}"))
    assert value(scorer, exchange(ANSWER, "How can I reset my password?")) < 0.1


def test_memory_is_bounded_in_applications_too() -> None:
    scorer = warm()
    for i in range(MAX_SERVICES + 20):
        value(scorer, trace(llm(ANSWER, "Was it paid?", dimensions={"service.name": (f"app{i}",)})))
    assert len(scorer._memory) == MAX_SERVICES


def test_a_fresh_one_has_forgotten_everything_and_kept_its_configuration() -> None:
    scorer = warm(window=7)
    value(scorer, exchange(ANSWER, "Was the invoice of May paid?"))
    fresh = scorer.fresh()
    assert fresh.window == 7
    assert value(fresh, exchange(ANSWER, "How can I reset my password?")) < 0.1


def test_nothing_is_said_while_the_memory_of_an_application_fills() -> None:
    scorer = DuplicateAnswer(learning=5)
    told = [bool(scores(scorer, exchange(f"{ANSWER} number {i}", f"topic{i}"))) for i in range(8)]
    assert told == [False] * 5 + [True] * 3


def test_what_repeats_while_the_memory_fills_is_a_template_and_never_a_mix_up() -> None:
    scorer = DuplicateAnswer(learning=5)
    for i in range(5):
        scores(scorer, exchange(ANSWER, f"invoice topic{i} subject{i}"))
    assert value(scorer, exchange(ANSWER, "How can I reset my password?")) < 0.1


def test_an_answer_that_came_once_while_the_memory_filled_can_still_be_mixed_up() -> None:
    scorer = DuplicateAnswer(learning=5)
    for i in range(5):
        scores(scorer, exchange(f"{ANSWER} number {i}", f"invoice topic{i} subject{i}"))
    assert value(scorer, exchange(f"{ANSWER} number 3", "How can I reset my password?")) > 0.8


def test_a_restart_forgets_no_answer() -> None:
    before, after = DuplicateAnswer(learning=2), DuplicateAnswer(learning=2)
    for i in range(3):
        scores(before, exchange(f"{ANSWER} number {i}", f"invoice topic{i} subject{i}"))
    after.restore(before.snapshot())
    assert value(after, exchange(f"{ANSWER} number 1", "How can I reset my password?")) > 0.8


def test_memories_of_something_else_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        DuplicateAnswer().restore(b"\x93nothing")


def test_a_refusal_given_to_many_is_no_mix_up() -> None:
    scorer, refusal = warm(), "Unfortunately I do not have that information, so I cannot help you with this question today."
    value(scorer, exchange(refusal, "Was the invoice of May paid?"))
    assert value(scorer, exchange(refusal, "How can I reset my password?")) < 0.3


def test_an_answer_that_stands_in_the_documents_of_both_questions_is_no_mix_up() -> None:
    scorer = warm()
    value(scorer, exchange(ANSWER, "Was the invoice of May paid?", ANSWER))
    assert value(scorer, exchange(ANSWER, "Where did the copy go?", ANSWER)) < 0.1


def test_structured_answers_are_skipped() -> None:
    form = '{"queue": "billing", "urgent": false, "summary": "the customer asks about an invoice of May", "open": true}'
    assert not scores(warm(), exchange(form, "Was the invoice of May paid?"))


SCAM = "That is a scam: do not send your PIN or your password to anybody, and delete the message."
QUOTED = [
    f"Somebody {verb} that I {won} {number} and must send {secret}, is it true?"
    for verb, won, number, secret in (
        ("writes", "won", "fifty thousand", "my PIN"),
        ("called saying", "owe taxes", "since March", "the password of my account"),
        ("knocked claiming", "inherited gold", "abroad", "a message with codes"),
        ("texted offering", "get a free phone", "today", "an answer and my PIN"),
        ("mailed warning", "lose access", "tonight", "login and password"),
        ("told a neighbour", "got a parcel", "from customs", "coins for delivery"),
    )
]


def test_a_policy_that_fits_each_of_its_questions_is_no_mix_up() -> None:
    scorer = warm()
    values = [value(scorer, exchange(SCAM, asked)) for asked in QUOTED]
    assert max(values[3:]) < 0.3


def test_an_answer_that_fits_one_question_and_goes_to_strangers_stays_one() -> None:
    scorer = warm()
    asked = ["Was the invoice of May paid?", *(f"How do I {what}?" for what in ("swim", "bake bread", "fly", "reset it", "sing"))]
    values = [value(scorer, exchange(ANSWER, question)) for question in asked]
    assert min(values[1:]) > 0.7
