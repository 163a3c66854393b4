"""An incident on a terminal says what broke, for whom, and what is not known."""

import msgspec

from holdfast.cli.console import out
from holdfast.cli.incident_view import show_incident, show_timeline
from holdfast.core.events import fold
from holdfast.core.incident import Incident
from tests.report.conftest import events


def incident() -> Incident:
    return fold(events())


def shown(found: Incident) -> str:
    with out.capture() as captured:
        show_incident(found)
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
