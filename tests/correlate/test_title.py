import msgspec
import pytest

from holdfast.core.diagnosis import Attacker, Diagnosis
from holdfast.core.incident import Incident, Severity, State
from holdfast.core.score import Unit
from holdfast.core.signal import Signal, Verdict
from holdfast.correlate.title import number, title_of, title_of_incident
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


def incident(*signals: Signal, cohort: dict[str, str] | None = None) -> Incident:
    diagnosis = Diagnosis(time_ns=0, layers=(), causes=(), cohort=cohort) if cohort is not None else None
    return Incident(
        id="inc_1",
        service="support",
        title="first",
        state=State.OPEN,
        severity=Severity.SEV3,
        signals=signals,
        diagnosis=diagnosis,
    )


def test_an_incident_is_called_by_its_worst_failure_for_the_diagnosed_cohort() -> None:
    found = incident(
        signal("refusal", baseline=0.02, observed=0.3, log_evidence=21.0),
        signal(segment="region=eu", baseline=0.04, observed=0.12, log_evidence=20.0),
        cohort={"prompt.version": "v2", "region": "eu"},
    )
    assert title_of_incident(found, METRICS) == "Hallucination tripled for prompt.version=v2, region=eu of support: 4.0 % → 12 %"


def test_where_no_dimension_explains_it_the_title_names_the_application_only() -> None:
    assert title_of_incident(incident(signal(segment="region=eu", baseline=0.04, observed=0.12), cohort={}), METRICS) == (
        "Hallucination tripled for support: 4.0 % → 12 %"
    )


def test_a_campaign_is_called_by_how_many_attack() -> None:
    attackers = tuple(Attacker(user=f"u{n}", attacks=2, requests=2, first_ns=1, last_ns=2, new=True) for n in range(8))
    found = incident(signal(baseline=0.01, observed=0.06), cohort={})
    assert found.diagnosis is not None
    found = msgspec.structs.replace(found, diagnosis=msgspec.structs.replace(found.diagnosis, attackers=attackers))
    assert title_of_incident(found, METRICS) == "Hallucination rose 6-fold for 8 users of support: 1.0 % → 6.0 %"


def test_an_incident_without_a_failure_keeps_its_title() -> None:
    assert title_of_incident(incident(signal(verdict=Verdict.ANOMALY)), METRICS) == "first"


def test_a_budget_that_burns_is_called_by_its_share_of_bad_calls() -> None:
    burning = signal("latency", detector="burn_rate", baseline=800.0, observed=9000.0, calls=200, bad=50.0)
    assert title_of(burning, METRICS) == "Latency uses up its error budget for support: 25 % of calls"


def test_what_took_fewer_calls_to_be_sure_of_leads_among_equal_harm() -> None:
    late = signal("format_violation", baseline=0.006, observed=0.06, log_evidence=17.2, threshold=16.7, calls=232)
    clear = signal(baseline=0.002, observed=0.073, log_evidence=15.2, threshold=15.0, calls=126)
    assert title_of_incident(incident(late, clear), METRICS).startswith("Hallucination rose")


def test_a_clear_nuisance_leads_before_a_faint_wrong() -> None:
    faint = signal("format_violation", baseline=0.02, observed=0.06, log_evidence=16.0, calls=200)
    clear = signal("refusal", baseline=0.03, observed=0.6, log_evidence=16.0, calls=15)
    assert title_of_incident(incident(faint, clear), METRICS).startswith("Refusal rose")


def test_harm_to_people_always_leads_and_one_hard_event_is_clear() -> None:
    clear = signal("refusal", baseline=0.03, observed=0.6, log_evidence=90.0, calls=15)
    attack = signal("prompt_injection", baseline=0.01, observed=0.05, log_evidence=15.0, calls=900)
    hard = signal("canary", detector="hard", baseline=0.0, observed=1.0, log_evidence=0.0, threshold=0.0, calls=1)
    assert title_of_incident(incident(clear, attack), METRICS).startswith("Prompt injection")
    assert title_of_incident(incident(clear, attack, hard), METRICS).startswith("Canary in")
