import msgspec

from holdfast.core.diagnosis import Diagnosis
from holdfast.core.incident import Incident
from holdfast.core.signal import Segment, Verdict
from holdfast.core.spread import Spread
from holdfast.diagnose.apart import Apart, opener, others_sick
from tests.diagnose.incidents import END, SERVICE, START, Shop, incident, signal

SEEN = Spread(calls=20, beyond=0.8, within=(("route", "/chat", 20), ("tenant", "acme", 12)))


def opened(
    name: str = "inc_1", spread: Spread | None = SEEN, cohort: dict[str, str] | None = None, sure: float = 0.9
) -> Incident:
    told = msgspec.structs.replace(incident(msgspec.structs.replace(signal("refusal"), spread=spread)), id=name)
    if cohort is None:
        return told
    return msgspec.structs.replace(
        told, diagnosis=Diagnosis(time_ns=0, layers=(), causes=(), cohort=cohort, cohort_confidence=sure)
    )


def test_an_incident_is_known_by_the_failure_that_opened_it() -> None:
    late = signal("tool_error", Segment(SERVICE, "tool", "get"))
    first = msgspec.structs.replace(signal("refusal"), spread=SEEN)
    assert opener([first, late]) == SEEN
    assert opener([late, first]) is None
    assert opener([msgspec.structs.replace(first, verdict=Verdict.ANOMALY)]) is None
    assert opener([]) is None


def test_the_cohort_of_another_incident_is_left_out_where_this_one_was_opened_for_other_calls() -> None:
    search = opened("inc_2", cohort={"route": "/search"})
    assert others_sick(opened(), [opened(), search]) == [{"route": "/search"}]


def test_a_cohort_that_holds_the_calls_this_one_was_opened_for_is_not_left_out() -> None:
    for cohort in ({"route": "/chat"}, {"tenant": "acme"}, {}):
        assert others_sick(opened(), [opened("inc_2", cohort=cohort)]) == []


def test_a_cohort_of_which_its_own_diagnosis_is_not_sure_is_not_left_out() -> None:
    assert others_sick(opened(), [opened("inc_2", cohort={"route": "/search"}, sure=0.5)]) == []


def test_incidents_without_a_diagnosis_or_of_another_application_are_not_left_out() -> None:
    away = msgspec.structs.replace(opened("inc_3", cohort={"route": "/search"}), service="billing")
    assert others_sick(opened(), [opened("inc_2"), away]) == []


def test_where_an_incident_does_not_know_its_bad_calls_nothing_is_left_out() -> None:
    assert others_sick(opened(spread=None), [opened("inc_2", cohort={"route": "/search"})]) == []


def test_calls_that_fulfil_all_conditions_of_a_cohort_are_gone_from_every_metric() -> None:
    telemetry = Shop().telemetry()
    whole = telemetry.observations(SERVICE, ["refusal", "latency"], START, END)
    rest = Apart(telemetry, [{"route": "/chat", "region": "eu"}]).observations(SERVICE, ["refusal", "latency"], START, END)
    for name, rows in rest.items():
        gone = [d for d in whole[name].dimensions if d["route"] == ("/chat",) and d["region"] == ("eu",)]
        assert gone
        assert len(rows) == len(whole[name]) - len(gone)
        assert not [d for d in rows.dimensions if d["route"] == ("/chat",) and d["region"] == ("eu",)]


def test_without_cohorts_all_is_kept() -> None:
    telemetry = Shop().telemetry()
    assert len(Apart(telemetry, []).observations(SERVICE, ["refusal"], START, END)["refusal"]) == 3200
    assert Apart(telemetry, []).changes(START, END) == []
