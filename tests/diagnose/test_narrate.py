"""What is told can be checked: numbers, times, calls, and actions with the safest first."""

from holdfast.core.change import Change, ChangeKind
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.diagnose.narrate import MOST_ACTIONS, MOST_CAUSES, actions, causes, diagnosis, statements
from tests.diagnose.incidents import END, METRICS, MINUTE, ONSET, SERVICE, Shop, incident, signal

CHANGE = Change(
    id="chg", time_ns=ONSET - 5 * MINUTE, kind=ChangeKind.TOOL, service=SERVICE, target="search-api", from_value="1", to_value="2"
)
FOUND = Diagnoser(METRICS).find(incident(signal("tool_error")), Shop().break_(["tool_error"]).telemetry(CHANGE), END)


def test_statements_come_most_telling_first_and_name_metric_and_change() -> None:
    told = statements(FOUND)
    assert [s.log_ratio for s in told] == sorted((s.log_ratio for s in told), reverse=True)
    assert any("tool_error" in s.text and "%" in s.text for s in told)
    assert any("search-api (1 → 2)" in s.text for s in told if s.group == "change")


def test_exemplars_are_calls_since_onset_inside_the_cohort() -> None:
    exemplars = [e for s in statements(FOUND) for e in s.exemplars]
    late = {FOUND.frame.key(int(i)) for i in FOUND.frame.after.nonzero()[0]}
    assert exemplars
    assert all((e.trace_id, e.span_id) in late for e in exemplars)


def test_the_first_action_takes_the_change_back_and_none_is_told_twice() -> None:
    told = actions(FOUND, causes(FOUND))
    assert told[0] == "roll back change chg (all of shop)"
    assert len(told) == len(set(told)) <= MOST_ACTIONS
    assert not any("{suspect}" in action for action in told)


def test_the_value_that_is_kept_holds_five_causes_at_most() -> None:
    kept = diagnosis(FOUND, END)
    assert kept.time_ns == END
    assert len(kept.causes) <= MOST_CAUSES
    assert kept.causes[0].why


def test_a_quiet_change_log_is_said_to_be_quiet() -> None:
    silent = Diagnoser(METRICS).find(incident(signal("tool_error")), Shop().break_(["tool_error"]).telemetry(), END)
    assert any(s.text == "No change in the day before" for s in statements(silent))
