import pytest

from holdfast.core.score import Unit
from holdfast.core.signal import Signal
from holdfast.correlate.title import number, title_of
from tests.correlate.signals import signal
from tests.detect.simulation import METRICS


@pytest.mark.parametrize(
    ("of", "title"),
    [
        (signal(baseline=0.04, observed=0.12), "Hallucination tripled for support: 4.0 % → 12 %"),
        (
            signal(segment="prompt.version=v2", baseline=0.04, observed=0.17),
            "Hallucination quadrupled for prompt.version=v2 of support: 4.0 % → 17 %",
        ),
        (signal("refusal", baseline=0.0, observed=0.3), "Refusal appeared for support: 0.0 % → 30 %"),
        (signal("latency", baseline=800.0, observed=9000.0), "Latency rose 11-fold for support: 800 ms → 9.0 s"),
        (signal("relevance", baseline=0.9, observed=0.7), "Relevance fell for support: 90 % → 70 %"),
        (signal("canary", detector="hard"), "Canary in support"),
        (
            signal("coverage.lexical", detector="coverage", observed=0.0),
            "Scorer lexical does not run for support: 0% of what it should",
        ),
        (signal("heartbeat", detector="heartbeat"), "support fell silent"),
        (signal("unheard_of", baseline=0.1, observed=0.2), "Unheard of doubled for support: 10 % → 20 %"),
    ],
)
def test_a_title_says_in_plain_words_what_happened_where_and_how_much(of: Signal, title: str) -> None:
    assert title_of(of, METRICS) == title


@pytest.mark.parametrize("unit", list(Unit))
def test_every_unit_can_be_written(unit: Unit) -> None:
    assert number(123_456.0, unit)
    assert number(0.0, unit)
