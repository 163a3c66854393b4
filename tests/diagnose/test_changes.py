"""The guilty change has the time and the cohort; a benign one has at most the time."""

from collections.abc import Mapping

import pytest

from holdfast.core.change import Change, ChangeKind
from holdfast.diagnose.badness import watch
from holdfast.diagnose.changes import (
    LOOK_BACK_NS,
    Effect,
    Suspect,
    announced,
    exposure,
    named_condition,
    new_values,
    of_service,
    timing_factor,
    weigh,
)
from holdfast.diagnose.onset import Onset
from tests.diagnose.incidents import HOUR, METRICS, MINUTE, ONSET, SERVICE, Shop

EXACT = Onset(ONSET, MINUTE, 50.0)
RATE = 1 / LOOK_BACK_NS


def change(id_: str = "c", minutes_before: float = 2, **fields: object) -> Change:
    known: dict[str, object] = {"kind": ChangeKind.PROMPT, "service": SERVICE, **fields}
    return Change(id=id_, time_ns=ONSET - int(minutes_before * MINUTE), **known)  # type: ignore[arg-type]


def weighed(shop: Shop, cohort: Mapping[str, str], *changes: Change) -> list[Suspect]:
    frame = shop.frame()
    target = watch(frame, frame.columns["refusal"], METRICS["refusal"], is_fall=False).since(ONSET)
    return weigh(frame, changes, Effect(EXACT, cohort, frame.cohort(cohort), [target]), SERVICE)


def chat_v2() -> Shop:
    shop = Shop().upgrade("prompt.version", "chat-v1", "chat-v2")
    return shop.break_(["refusal"], lambda d: d["route"] == ("/chat",))


def test_the_change_to_the_version_that_is_sick_beats_a_benign_one_that_is_nearer_in_time() -> None:
    guilty = change("guilty", 20, to_value="chat-v2")
    benign = change("benign", 1, kind=ChangeKind.CONFIG, target="log-level")
    first, *_ = weighed(chat_v2(), {"prompt.version": "chat-v2"}, guilty, benign)
    assert first.id == "guilty"
    assert first.log_bayes > 3


def test_a_change_scoped_to_others_is_no_suspect() -> None:
    elsewhere = change("elsewhere", 1, scope={"route": "/refund"})
    suspects = {s.id: s for s in weighed(chat_v2(), {"prompt.version": "chat-v2"}, elsewhere)}
    assert suspects["elsewhere"].log_bayes < 0


def test_a_change_scoped_to_a_value_that_no_call_carries_exposed_nobody() -> None:
    conditions, calls = exposure(chat_v2().frame(), change(scope={"region": "mars"}))
    assert conditions == {}
    assert not calls.any()


def test_a_change_of_just_the_sick_calls_is_where_a_failure_may_have_begun_hours_before() -> None:
    frame = Shop().break_(["refusal"], lambda d: d["route"] == ("/chat",)).frame()
    exact = change("exact", 200, kind=ChangeKind.GUARDRAIL, scope={"route": "/chat"})
    others = change("others", 100, kind=ChangeKind.GUARDRAIL, scope={"route": "/refund"})
    everybody = change("everybody", 50, kind=ChangeKind.CONFIG)
    long_ago = change("long ago", 2_000, kind=ChangeKind.GUARDRAIL, scope={"route": "/chat"})
    changes = [exact, others, everybody, long_ago]
    within = (ONSET - 12 * HOUR, ONSET)
    assert announced(frame, changes, frame.cohort({"route": "/chat"}), within) == [exact.time_ns]
    assert announced(frame, changes, frame.cohort({}), within) == []


def test_changes_of_another_application_are_not_of_this_one() -> None:
    named = change("named", scope={"service.name": "other"}, service="")
    assert [
        c.id for c in of_service([change("own"), change("other", service="other"), named, change("any", service="")], SERVICE)
    ] == [
        "own",
        "any",
    ]


def test_a_new_version_that_nobody_told_of_is_a_suspect_of_its_own() -> None:
    (only,) = weighed(chat_v2(), {"prompt.version": "chat-v2"})
    assert only.change is None
    assert only.id == ""
    assert only.condition == ("prompt.version", "chat-v2")
    assert only.kind is ChangeKind.PROMPT


def test_a_new_version_that_was_told_of_is_counted_once() -> None:
    suspects = weighed(chat_v2(), {"prompt.version": "chat-v2"}, change("told", 1, to_value="chat-v2"))
    assert [s.id for s in suspects] == ["told"]


def with_index(first_minute: float, share: float = 1.0) -> Shop:
    """A new prompt for /chat with the onset, and a new index for this share of the same calls, `first_minute` after it."""
    shop = chat_v2()
    for i, dimensions in enumerate(shop.dimensions):
        late = shop.time_ns[i] >= ONSET + int(first_minute * MINUTE)
        exposed = dimensions["route"] == ("/chat",) and i % 100 < 100 * share
        shop.dimensions[i] = {**dimensions, "index.version": ("v2" if late and exposed else "v1",)}
    return shop


@pytest.mark.parametrize("named", [{"prompt.version": "chat-v2"}, {"index.version": "v2"}], ids=["prompt", "index"])
def test_which_of_two_deploys_to_the_same_calls_the_cohort_is_named_by_makes_neither_more_suspicious(
    named: dict[str, str],
) -> None:
    prompt = change("prompt", 1, to_value="chat-v2")
    index = change("index", 1, kind=ChangeKind.INDEX, to_value="v2")
    suspects = {s.id: s.log_bayes for s in weighed(with_index(0), named, prompt, index)}
    assert suspects["prompt"] == pytest.approx(suspects["index"], abs=0.1)


def test_a_deploy_to_some_of_the_calls_is_less_suspicious_than_the_one_that_the_cohort_is_named_by() -> None:
    prompt = change("prompt", 1, to_value="chat-v2")
    index = change("index", 1, kind=ChangeKind.INDEX, to_value="v2")
    suspects = {s.id: s.log_bayes for s in weighed(with_index(0, 0.6), {"prompt.version": "chat-v2"}, prompt, index)}
    assert suspects["prompt"] > suspects["index"] + 1.5


def test_changes_of_other_applications_are_left_out() -> None:
    assert (
        weighed(Shop().break_(["refusal"]), {}, change(service="billing"), change("scoped", scope={"service.name": "billing"}))
        == []
    )


def test_a_change_for_all_fits_a_failure_of_all_better_than_one_of_a_few() -> None:
    general = change(kind=ChangeKind.CODE, target="api")
    (everyone,) = weighed(Shop().break_(["refusal"]), {}, general)
    (few,) = weighed(Shop().break_(["refusal"], lambda d: d["tenant"] == ("cade",)), {"tenant": "cade"}, general)
    assert everyone.log_bayes > few.log_bayes


@pytest.mark.parametrize(("minutes", "better_than"), [(2, 60), (60, 400), (300, 900)])
def test_the_sooner_the_effect_follows_the_likelier_the_cause(minutes: float, better_than: float) -> None:
    near = timing_factor(ONSET - int(minutes * MINUTE), EXACT, RATE)
    far = timing_factor(ONSET - int(better_than * MINUTE), EXACT, RATE)
    assert near > far


def test_an_effect_before_its_cause_counts_against_it() -> None:
    assert timing_factor(ONSET + 2 * HOUR, EXACT, RATE) < -5
    assert timing_factor(ONSET + MINUTE, Onset(ONSET, 5 * MINUTE, 9.0), RATE) > 0


def test_a_change_in_a_busy_log_says_less() -> None:
    shop = Shop().break_(["refusal"])
    quiet = weighed(shop, {}, change("x", kind=ChangeKind.CODE))
    busy = weighed(shop, {}, change("x", kind=ChangeKind.CODE), *(change(str(i), 60 + i, kind=ChangeKind.CODE) for i in range(9)))
    assert next(s for s in busy if s.id == "x").log_bayes < quiet[0].log_bayes - 1


def test_a_target_that_names_a_value_of_a_dimension_says_whom_the_change_touched() -> None:
    frame = Shop().frame()
    assert named_condition(frame, change(kind=ChangeKind.DATA, target="import:blog")) == ("document.source", "blog")
    assert named_condition(frame, change(kind=ChangeKind.CONFIG, target="log-level")) is None


def test_a_value_that_was_always_there_or_is_hardly_used_is_not_new() -> None:
    frame = chat_v2().frame()
    assert [c for c, _ in new_values(frame, EXACT)] == [("prompt.version", "chat-v2")]
    rare = Shop().upgrade("prompt.version", "chat-v1", "chat-v2", share=0.02).frame()
    assert new_values(rare, EXACT) == []
    assert new_values(frame, Onset(ONSET - 5 * HOUR, MINUTE, 9.0)) == []


def test_a_version_that_came_before_a_badly_known_onset_may_be_new_all_the_same() -> None:
    frame = chat_v2().frame()
    late = ONSET + 2 * HOUR
    assert new_values(frame, Onset(late, MINUTE, 9.0)) == []
    assert [c for c, _ in new_values(frame, Onset(late, 20 * MINUTE, 9.0))] == [("prompt.version", "chat-v2")]
