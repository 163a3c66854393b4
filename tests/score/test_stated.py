import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.score.groundedness import Groundedness
from holdfast.score.stated import stated
from tests.score.build import QUESTION, REFUNDS, exchange, scores, value

CLAIM = "Phones can be returned within 30 days of delivery."


@pytest.mark.parametrize(
    "answer",
    [
        f"Hi Ravi! {CLAIM} [nor-refunds-544] Safe travels!",
        f"Hello Marta, {CLAIM}",
        f"Sehr geehrte Frau Weiß, {CLAIM} Kann ich sonst noch helfen?",
        f"Thanks for your message. {CLAIM}【4†source】",
        f"{CLAIM} (Source: Returns and refunds) Is there anything else that I can do for you?",
        f"¡Hola! {CLAIM} ¿Algo más?",
        f"お問い合わせありがとうございます。{CLAIM} 他にご質問はありますか？",
        f"{CLAIM} [1][2] Let me know if you have another question.",
        f"Dzień dobry Anno, {CLAIM} Chętnie pomogę w razie pytań.",
        f"مرحباً أحمد، {CLAIM} هل تحتاج إلى مساعدة أخرى؟ شكراً لتواصلك معنا.",
        f"Здравствуйте, Иван! {CLAIM} Всего доброго.",
        f"Of course. {CLAIM} Would you like to order it?",
        f"Oh, what a lovely choice! {CLAIM} Keep every detail in mind!",
        f"Wie schön, dass Sie fragen! {CLAIM}",
        f"{CLAIM} Si goda ogni dettaglio!",
    ],
)
def test_marks_greetings_offers_and_questions_state_nothing(answer: str) -> None:
    assert stated(answer).strip() == CLAIM


@pytest.mark.parametrize(
    "answer",
    [
        CLAIM,
        "Thanks to the new rule you get 40 euros back.",
        "See the [terms](https://shop.example/terms) of the shop.",
        "You pay [the fee is 45 euros] at the desk.",
        "The prices are [680, 4500] euros.",
        '{"answer": "Thanks for asking.", "prices": [12, 40]}',
        "The parcel is yours to keep!",
        f"The first 30 days are free! {CLAIM}",
        f"Oh, what a pleasure it is that you come to us with this matter, so let me tell you! {CLAIM}",
        f"{CLAIM} The box is not needed! {CLAIM}",
        "Hi-fi systems are repaired in the shop.",
        "Our fee (19 euros in summer) is paid once.",
        "Deutsche Bahn tickets are valid on that day.",
        "Thank you: " + "the warranty covers the battery and everything that is fixed to it, as long as it lasts, and it lasts. ",
    ],
)
def test_what_states_something_stays(answer: str) -> None:
    assert stated(answer) == answer


@given(st.text(alphabet="Hi Ana, [12].?()【】\nthanks 1", max_size=200))
def test_offsets_stay_what_they_are(answer: str) -> None:
    told = stated(answer)
    assert len(told) == len(answer)
    assert all(new in (old, " ") for old, new in zip(answer, told, strict=True))


def test_a_cited_answer_is_as_grounded_as_one_without_courtesies() -> None:
    plain = value(Groundedness(), exchange(CLAIM, QUESTION, REFUNDS), "ungrounded_answer")
    dressed = value(Groundedness(), exchange(f"Hi Ravi! {CLAIM} [nor-refunds-544] Safe travels!", QUESTION, REFUNDS))
    assert dressed == pytest.approx(plain, abs=0.02)


def test_what_is_unsupported_is_still_marked_where_it_stands() -> None:
    answer = f"Hi Ravi! {CLAIM} [kb-1] The fee is 77 euros. Safe travels!"
    score = scores(Groundedness(), exchange(answer, QUESTION, REFUNDS))["ungrounded_answer"]
    assert "77" in {answer[span.start : span.end] for span in score.spans}


def test_an_answer_that_states_nothing_is_not_judged() -> None:
    assert not scores(Groundedness(), exchange("Hello! How may I help you?", QUESTION, REFUNDS))
