"""First and second opinions on safety."""

import pytest

from holdfast.core.call import Kind
from holdfast.core.errors import IntegrityError
from holdfast.score import safety
from holdfast.score.language import in_english
from holdfast.score.pieces import Piece
from holdfast.score.run import Scoring
from holdfast.score.safety import ALWAYS, NEVER, Safety, Weights, blended, cut
from holdfast.score.toxicity import Toxicity
from holdfast.score.unsafe import Unsafe
from tests.score.build import ANSWER, call, exchange, llm, scores, trace, value

FIRST = Safety(unsure_toxicity=NEVER, unsure_request=NEVER, unsure_output=NEVER)
BOTH = Safety(unsure_toxicity=ALWAYS, unsure_request=ALWAYS, unsure_output=ALWAYS)
GERMAN = "Ich möchte gerne wissen, wie lange ich mein Telefon zurückgeben kann und was das kostet."


def broken(*_: object) -> None:
    raise IntegrityError("the encoder cannot be read")


def test_a_sure_first_opinion_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "opinion", broken)
    unsure = (3.0, 4.0)
    subject = Safety(unsure_toxicity=unsure, unsure_request=unsure, unsure_output=unsure)
    (scored,) = Scoring([subject]).score([exchange(ANSWER)])
    assert {s.metric for s in scored.scores} == {"toxicity", "unsafe_request", "unsafe_output"}
    assert not scored.failures


def test_an_encoder_that_cannot_be_opened_is_a_failure_and_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "opinion", broken)
    (scored,) = Scoring([BOTH]).score([exchange(ANSWER)])
    assert not scored.scores
    assert scored.failures[0].error_type == "IntegrityError"


def test_without_second_opinions_it_says_what_the_first_ones_say() -> None:
    subject = exchange("You are a stupid idiot.", "How do I hurt my neighbour?")
    assert value(FIRST, subject, "toxicity") == value(Toxicity(), subject)
    assert value(FIRST, subject, "unsafe_request") == value(Unsafe(), subject, "unsafe_request")
    assert value(FIRST, subject, "unsafe_output") == value(Unsafe(), subject, "unsafe_output")


def test_preparing_together_says_the_same_as_alone() -> None:
    subjects = [exchange("You are a stupid idiot.", f"How do I hurt my neighbour {n} times?") for n in range(3)]
    together = Scoring([BOTH]).score(subjects)
    for subject, scored in zip(subjects, together, strict=True):
        alone = scores(BOTH, trace(*subject.calls))
        for score in scored.scores:
            assert score == alone[score.metric]


@pytest.mark.parametrize(
    "text", [GERMAN, "Сколько дней у меня есть на возврат телефона?", "電話を返品できる期間は何日ですか", "12 345", "..."]
)
def test_what_is_not_english_is_not_shown_to_an_encoder_that_knows_english_only(text: str) -> None:
    assert not in_english(Piece(text)) or text == "12 345"


@pytest.mark.parametrize("text", [GERMAN, "Сколько дней у меня есть на возврат телефона?", "電話を返品できる期間は何日ですか"])
def test_another_language_is_neither_toxic_nor_unsafe_for_being_one(text: str) -> None:
    found = scores(BOTH, exchange(text, text))
    assert found["toxicity"].value < 0.3
    assert found["unsafe_request"].value < 0.5


@pytest.mark.parametrize(
    "text", [ANSWER, "The fee is 45 euros, and the bag may weigh 32 kg.", "You are booked on the flight at noon."]
)
def test_an_answer_that_nobody_doubts_looks_no_worse_than_one_that_was_doubted_and_found_harmless(text: str) -> None:
    subject = exchange(text)
    assert value(Safety(), subject, "unsafe_output") < 0.1
    assert value(BOTH, subject, "unsafe_output") < 0.2


def test_an_answer_in_another_language_must_be_surely_harmful() -> None:
    subject = exchange(GERMAN, GERMAN)
    assert value(Safety(), subject, "unsafe_output") < min(0.1, value(FIRST, subject, "unsafe_output"))


def test_a_trace_without_texts_has_no_scores() -> None:
    assert not scores(BOTH, trace(call(Kind.WORKFLOW)))
    assert set(scores(BOTH, trace(llm(ANSWER, input_messages=())))) == {"toxicity", "unsafe_output"}


def test_abuse_scores_above_praise_and_says_who_judged() -> None:
    abuse = scores(BOTH, exchange("You are a worthless idiot and everyone hates you, go and die."))["toxicity"]
    praise = scores(BOTH, exchange("You are a wonderful friend and everyone likes you, come and visit."))["toxicity"]
    assert abuse.value > 0.5 > praise.value
    assert "encoder" in abuse.why


def test_one_opinion_cannot_drown_the_other() -> None:
    assert cut(1e9) == -cut(-1e9) == safety.LIMIT
    assert blended(Weights(1.0, 1.0, 0.5), 1e9, -1e9) == 0.5
