"""First and second opinions on faithfulness."""

from math import inf

import pytest

from holdfast.core.errors import IntegrityError
from holdfast.score import grounding
from holdfast.score.groundedness import Groundedness
from holdfast.score.grounding import Grounding
from holdfast.score.run import Scoring
from tests.score.build import QUESTION, exchange, scores, trace, value

SOURCE = (
    "The Volta 3 battery lasts 9.5 hours and is made in Turin. It charges in two hours. The warranty covers three years, and the"
    " seller must replace a broken battery within ten days."
)
TRUE = "The battery lasts 9.5 hours, is made in Turin and charges in two hours."
FALSE = "The battery lasts 14 hours, is made in Lisbon and never has to be charged."
ALWAYS = Grounding(unsure=(-inf, inf))


def test_an_answer_that_its_sources_support_scores_lower_than_one_that_they_contradict() -> None:
    true, false = (value(ALWAYS, exchange(a, QUESTION, SOURCE), "ungrounded_answer") for a in (TRUE, FALSE))
    assert true < false
    assert false > 0.3


def test_the_unsupported_stretches_are_named() -> None:
    found = scores(ALWAYS, exchange(FALSE, QUESTION, SOURCE))["ungrounded_answer"]
    assert any("14" in FALSE[s.start : s.end] for s in found.spans)


def test_shares_of_numbers_and_names_stay_what_counting_says() -> None:
    subject = exchange(FALSE, QUESTION, SOURCE)
    counted, again = scores(Groundedness(), subject), scores(ALWAYS, subject)
    assert counted["unsupported_numbers"].value == again["unsupported_numbers"].value


def test_a_sure_first_opinion_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grounding, "doubted", None)
    subject = exchange(TRUE, QUESTION, SOURCE)
    assert value(Grounding(unsure=(inf, inf)), subject, "ungrounded_answer") == value(
        Groundedness(), subject, "ungrounded_answer"
    )


def test_without_sources_or_answer_there_is_nothing_to_say() -> None:
    assert not scores(ALWAYS, exchange(FALSE))
    assert not scores(ALWAYS, exchange("", QUESTION, SOURCE))


def test_an_answer_in_another_language_keeps_its_first_opinion() -> None:
    german = "Der Akku hält neuneinhalb Stunden und wird in Turin hergestellt, sagt der Hersteller."
    subject = exchange(german, QUESTION, SOURCE)
    assert value(ALWAYS, subject, "ungrounded_answer") == value(Groundedness(), subject, "ungrounded_answer")


def test_an_encoder_that_fails_is_a_failure_and_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise IntegrityError("the encoder cannot be read")

    monkeypatch.setattr(grounding, "doubted", broken)
    (scored,) = Scoring([ALWAYS]).score([trace(*exchange(TRUE, QUESTION, SOURCE).calls)])
    assert not scored.scores
    assert scored.failures
