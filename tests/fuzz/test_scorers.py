"""Scorers over arbitrary text: they may say anything within their unit, but never fail."""

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.trace import Trace
from holdfast.score.registry import SCORERS
from holdfast.score.run import Scoring
from tests.conformance.test_scorers import checked, everywhere
from tests.score.build import exchange

TEXT = st.text(max_size=400) | st.text(alphabet="{}[]()<>`\"'%$#@!*_-=:;,.\n 0159azé\u200b<|", max_size=200)
SCORING = Scoring(SCORERS)


@settings(max_examples=60, deadline=None)
@given(TEXT)
def test_no_text_in_any_field_makes_a_scorer_fail(text: str) -> None:
    checked(SCORING.score([everywhere(text)])[0])


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT, st.lists(TEXT, max_size=3), TEXT)
def test_no_exchange_makes_a_scorer_fail(answer: str, question: str, documents: list[str], system: str) -> None:
    subject: Trace = exchange(answer, question, *documents, system=system)
    checked(SCORING.score([subject])[0])
