from typing import Any

import msgspec
import pytest

from holdfast.control.effects import OpenBreaker
from holdfast.control.probes import GOOD_IN_A_ROW, MAX_KEPT, ProbeAnswer, Probes, ProbeVerdict, judged_lease
from holdfast.core.errors import InputError
from tests.control.examples import LATER, NOW, lease, snapshot


def verdict(good: bool | None = True, **changes: Any) -> ProbeVerdict:
    fields: dict[str, Any] = {"rule": "quality", "target": "large", "good": good, "judge": "groundedness", "lease_id": "lse_1"}
    return ProbeVerdict(**{**fields, "time_ns": NOW, **changes})


def test_verdicts_are_numbered_and_can_be_asked_for_after_a_number() -> None:
    probes = Probes()
    assert [probes.add(verdict()).number for _ in range(3)] == [1, 2, 3]
    assert [one.number for one in probes.after(1)] == [2, 3]
    assert probes.after(3) == []


def test_a_number_cannot_be_chosen_by_who_sends() -> None:
    assert Probes().add(verdict(number=99)).number == 1


def test_as_many_as_fit_are_remembered() -> None:
    probes = Probes()
    for _ in range(MAX_KEPT + 10):
        probes.add(verdict())
    assert (len(probes.after(0)), probes.after(0)[0].number) == (MAX_KEPT, 11)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([True] * GOOD_IN_A_ROW, True),
        ([False] + [True] * GOOD_IN_A_ROW, True),
        ([True] * (GOOD_IN_A_ROW - 1), False),
        ([True] * (GOOD_IN_A_ROW - 1) + [False] + [True] * (GOOD_IN_A_ROW - 1), False),
        ([True] * GOOD_IN_A_ROW + [False], False),
        ([], False),
    ],
    ids=["enough", "after-a-bad-one", "too-few", "interrupted", "bad-last", "none"],
)
def test_good_verdicts_in_a_row_close_and_nothing_else_does(said: list[bool], expected: bool) -> None:
    probes = Probes()
    for good in said:
        probes.add(verdict(good))
        probes.add(verdict(True, lease_id="lse_2"))
    assert probes.closes("lse_1") is expected


def test_probes_that_nobody_could_judge_count_neither_way() -> None:
    probes = Probes()
    for good in (None, True, True, None, True, True, None):
        probes.add(verdict(good))
    assert not probes.closes("lse_1")
    probes.add(verdict(True))
    probes.add(verdict(None))
    assert probes.closes("lse_1")


def test_probes_none_of_which_could_be_judged_close_nothing() -> None:
    probes = Probes()
    for _ in range(2 * GOOD_IN_A_ROW):
        probes.add(verdict(None))
    assert not probes.closes("lse_1")


@pytest.mark.parametrize(
    "changes",
    [
        {"target": ""},
        {"judge": ""},
        {"rule": "x" * 200},
        {"trace_id": "x" * 200},
        {"reason": "x" * 600},
        {"dimensions": {"tenant": "x" * 600}},
        {"dimensions": {str(n): "x" for n in range(17)}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_verdict_names_what_was_judged_by_whom_and_is_bounded(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Probes().add(verdict(**changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "lse_1"),
        ({"judge": "somebody else"}, ""),
        ({"target": "small"}, ""),
        ({"lease_id": "lse_9"}, ""),
        ({"lease_id": ""}, ""),
        ({"time_ns": LATER}, ""),
    ],
    ids=["its-own", "other-judge", "other-target", "unknown", "none", "over"],
)
def test_only_the_judge_that_a_lease_names_speaks_of_it(changes: dict[str, Any], expected: str) -> None:
    there = snapshot(lease(OpenBreaker(target="large", judge="groundedness")))
    assert judged_lease(there, verdict(**changes)) == expected


def test_a_lease_without_a_judge_is_closed_by_nobody() -> None:
    assert judged_lease(snapshot(lease(OpenBreaker(target="large"))), verdict(judge="x")) == ""
    assert judged_lease(snapshot(lease()), verdict()) == ""


def test_a_verdict_comes_back_from_its_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(verdict()), type=ProbeVerdict) == verdict()


def test_an_answer_and_the_verdict_on_it_speak_of_the_same_lease() -> None:
    answer = ProbeAnswer(lease_id="lse_1", target="large", judge="groundedness", trace_id="t", call=b"{}", time_ns=NOW)
    there = snapshot(lease(OpenBreaker(target="large", judge="groundedness")))
    assert judged_lease(there, answer) == "lse_1"
    said = answer.verdict(True, "x" * 5_000, NOW)
    assert judged_lease(there, said) == "lse_1"
    assert Probes().add(said).good is True
    assert judged_lease(there, msgspec.structs.replace(answer, judge="another")) == ""
