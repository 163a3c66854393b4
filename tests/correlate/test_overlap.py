import msgspec
import pytest

from holdfast.core.diagnosis import Diagnosis
from holdfast.core.incident import Incident
from holdfast.core.signal import Signal
from holdfast.core.spread import Spread
from holdfast.correlate.correlator import Correlator
from holdfast.correlate.overlap import of_others, related
from holdfast.correlate.policy import CorrelatePolicy
from tests.correlate.signals import HOUR, Book, signal
from tests.detect.simulation import METRICS


def seen(calls: int = 12, **within: int) -> Spread:
    """Bad calls by `dimension__value`."""
    told = tuple((*name.split("__"), count) for name, count in within.items())
    return Spread(calls=calls, beyond=0.8, within=told)  # type: ignore[arg-type]


def incident_of(*signals: Signal, cohort: dict[str, str] | None, sure: float = 0.9) -> Incident:
    (incident,) = Book(Correlator(METRICS)).at(60, *signals)
    if cohort is None:
        return incident
    return msgspec.structs.replace(
        incident, diagnosis=Diagnosis(time_ns=0, layers=(), causes=(), cohort=cohort, cohort_confidence=sure)
    )


POLICY = CorrelatePolicy()
PROMPT = signal(segment="prompt.version=v28", spread=seen(**{"prompt.version__v28": 12, "language__en": 10}))
TOOL = signal("tool_error", "tool=get", spread=seen(**{"tool__get": 12, "prompt.version__v7": 12, "language__en": 9}))
SICK = {"prompt.version": "v28"}


def test_bad_calls_outside_the_diagnosed_cohort_are_of_another_failure() -> None:
    assert of_others(TOOL, incident_of(PROMPT, cohort=SICK), POLICY)
    assert related(TOOL, [incident_of(PROMPT, cohort=SICK)], POLICY) == []


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (signal("tool_error", "tool=get"), "nobody looked where its bad calls lie"),
        (signal("tool_error", "tool=get", spread=seen(4)), "four calls may be chance"),
        (
            signal("tool_error", "language=en", spread=seen(**{"prompt.version__v28": 5, "language__en": 12})),
            "nearly half is of it",
        ),
        (signal("tool_error", spread=seen()), "the whole application holds everybody"),
        (signal("tool_error", "language=en", spread=seen(language__en=12)), "it may be who is sick: the incident is within it"),
    ],
)
def test_a_signal_stays_with_an_incident_that_it_is_not_known_to_be_apart_from(new: Signal, why: str) -> None:
    assert not of_others(new, incident_of(PROMPT, cohort=SICK), POLICY), why


@pytest.mark.parametrize("cohort", [None, {}])
def test_before_it_is_known_who_is_sick_nothing_is_apart(cohort: dict[str, str] | None) -> None:
    assert not of_others(TOOL, incident_of(PROMPT, cohort=cohort), POLICY)


def test_a_cohort_that_may_be_another_one_parts_nothing() -> None:
    assert not of_others(TOOL, incident_of(PROMPT, cohort=SICK, sure=0.6), POLICY)


def test_signals_of_the_whole_application_do_not_say_whom_an_incident_hurts() -> None:
    whole = signal(onset_s=5, spread=seen(**{"prompt.version__v28": 6, "tool__get": 6}))
    assert of_others(TOOL, incident_of(PROMPT, whole, cohort=SICK), POLICY)


def test_an_incident_of_which_nobody_knows_where_its_bad_calls_lie_is_not_apart() -> None:
    assert not of_others(TOOL, incident_of(signal(segment="prompt.version=v28"), cohort=SICK), POLICY)


def test_a_segment_through_which_two_faults_run_goes_to_the_larger_one() -> None:
    prompt = incident_of(PROMPT, cohort=SICK)
    tool = incident_of(TOOL, cohort={"tool": "get"})
    both = seen(20, **{"document.source__faq": 20, "prompt.version__v28": 7, "tool__get": 6})
    mixed = signal(segment="document.source=faq", spread=both)
    assert related(mixed, [prompt], POLICY) == related(mixed, [tool], POLICY) == []
    assert related(mixed, [tool, prompt], POLICY) == [prompt.id]


def test_without_incidents_there_is_nothing_to_be_related_to() -> None:
    assert related(PROMPT, [], POLICY) == []


def test_a_metric_that_is_new_and_began_at_another_time_in_other_segments_is_apart_before_any_diagnosis() -> None:
    late = msgspec.structs.replace(TOOL, onset_ns=TOOL.onset_ns + int(2 * HOUR * 1e9))
    unknown = incident_of(PROMPT, cohort=None)
    assert of_others(late, unknown, POLICY)
    assert not of_others(TOOL, unknown, POLICY), "they began together"
    assert not of_others(msgspec.structs.replace(late, metric=PROMPT.metric), unknown, POLICY), "one metric may show anywhere"
    assert not of_others(late, incident_of(signal(spread=seen(tool__get=2)), cohort=None), POLICY), "everybody may be hurt"
