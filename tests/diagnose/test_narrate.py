"""What is told can be checked: numbers, times, calls, and actions with the safest first."""

import dataclasses

import msgspec
import numpy as np

from holdfast.core.change import Change, ChangeKind
from holdfast.core.diagnosis import Layer, LayerProbability
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.diagnose.narrate import MOST_ACTIONS, MOST_CAUSES, actions, bounded, causes, diagnosis, statements
from tests.diagnose.incidents import END, METRICS, MINUTE, ONSET, SERVICE, Shop, incident, signal

CHANGE = Change(
    id="chg", time_ns=ONSET - 5 * MINUTE, kind=ChangeKind.TOOL, service=SERVICE, target="search-api", from_value="1", to_value="2"
)
MODEL = Diagnoser(METRICS).model
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


def test_the_lower_bound_is_told_in_words_too() -> None:
    told = bounded(diagnosis(FOUND, END), 0.87)
    assert told.confidence_low == 0.87
    assert told.evidence[-1].group == "calibration"
    assert "at least 87%" in told.evidence[-1].text


def test_without_a_table_nothing_is_promised() -> None:
    assert bounded(diagnosis(FOUND, END), 0.0) == diagnosis(FOUND, END)


def test_nothing_relies_on_an_unknown_cause() -> None:
    unknown = msgspec.structs.replace(diagnosis(FOUND, END), layers=(LayerProbability(Layer.UNKNOWN, 0.95),))
    assert bounded(unknown, 0.9).confidence_low == 0


def told_first(benign: float, *faults: float) -> str:
    """The first cause where `benign` and some faults of one layer are so probable."""
    names = [name for name, layer in zip(MODEL.names, MODEL.layers, strict=True) if layer is Layer.PROMPT_ENGINEERING][
        : len(faults)
    ]
    probability = np.zeros(len(MODEL.names))
    for name, share in (*zip(names, faults, strict=True), ("benign", benign)):
        probability[MODEL.names.index(name)] = share
    posterior = dataclasses.replace(FOUND.posterior, probability=probability)
    return causes(dataclasses.replace(FOUND, posterior=posterior))[0].fault


def test_that_nothing_failed_is_the_first_cause_only_where_no_layer_is_more_probable() -> None:
    assert told_first(0.35, 0.2, 0.2, 0.2) != "benign"
    assert told_first(0.55, 0.2, 0.1, 0.1) == "benign"
    assert told_first(0.05, 0.95) != "benign"
