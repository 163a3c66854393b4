"""An incident on a terminal says what broke, for whom, and what is not known."""

import msgspec

from holdfast.cli.console import out
from holdfast.cli.incident_view import show_incident, show_timeline
from holdfast.core.events import fold
from holdfast.core.incident import Incident
from holdfast.core.score import Metric
from holdfast.score.registry import METRICS
from tests.report.conftest import events


def incident() -> Incident:
    return fold(events())


def shown(found: Incident, metrics: dict[str, Metric] | None = None) -> str:
    with out.capture() as captured:
        show_incident(found, METRICS if metrics is None else metrics)
        show_timeline(found)
    return captured.get()


def test_an_incident_without_a_diagnosis_says_so() -> None:
    assert "not diagnosed" in shown(msgspec.structs.replace(incident(), diagnosis=None))


def test_a_cohort_that_nothing_explains_is_told_in_words() -> None:
    diagnosis = incident().diagnosis
    assert diagnosis is not None
    everybody = msgspec.structs.replace(diagnosis, cohort={})
    assert "no dimension explains it" in shown(msgspec.structs.replace(incident(), diagnosis=everybody))


def test_markup_in_a_title_is_shown_and_not_obeyed() -> None:
    assert "[red]refunds" in shown(msgspec.structs.replace(incident(), title="[red]refunds"))


def test_the_timeline_says_who_did_what() -> None:
    text = shown(incident())
    assert "DiagnosisMade" in text
    assert incident().timeline[0].actor in text


def test_a_metric_is_told_in_its_unit_with_the_way_that_is_worse_and_where_it_was_seen() -> None:
    row = next(line for line in shown(incident()).splitlines() if line.strip().startswith("ungrounded_answer "))
    assert "%" in row
    assert "up" in row
    assert "the cohort" in row


def test_a_title_is_never_cut() -> None:
    title = "Data leak rose 15-fold for " + ", ".join(f"dimension{n}=value{n}" for n in range(9))
    assert title in " ".join(shown(msgspec.structs.replace(incident(), title=title)).split())


def test_a_metric_of_a_scorer_that_is_gone_is_told_by_its_name() -> None:
    text = shown(incident(), metrics={})
    assert "failure: ungrounded_answer" in text
    row = next(line for line in text.splitlines() if line.strip().startswith("ungrounded_answer "))
    assert "up" not in row
