"""From an incident to who, since when, after what, and why: end to end on small applications."""

import time

import msgspec
import numpy as np
import pytest

from holdfast.core.call import Dimensions
from holdfast.core.change import CONTROL, Change, ChangeKind
from holdfast.core.diagnosis import Diagnosis, Layer
from holdfast.core.incident import Incident
from holdfast.core.signal import Segment, Signal, Verdict
from holdfast.core.spread import Spread
from holdfast.diagnose.diagnoser import Diagnoser, leading
from tests.diagnose.incidents import (
    END,
    HOUR,
    METRICS,
    MINUTE,
    ONSET,
    SERVICE,
    Hurt,
    Shop,
    ShopTelemetry,
    incident,
    metric,
    signal,
)

DIAGNOSER = Diagnoser(METRICS)


def diagnose(shop: Shop, *changes: Change, signals: tuple[Signal, ...]) -> Diagnosis:
    return DIAGNOSER.diagnose(incident(*signals), shop.telemetry(*changes), END)


def prompt_change(id_: str = "guilty", minutes: float = 1, to: str = "chat-v2") -> Change:
    return Change(id=id_, time_ns=ONSET - int(minutes * MINUTE), kind=ChangeKind.PROMPT, service=SERVICE, to_value=to)


def dropped_rule() -> Shop:
    shop = Shop().upgrade("prompt.version", "chat-v1", "chat-v2")
    return shop.break_(["ungrounded_answer", "unsupported_numbers"], lambda d: d["prompt.version"] == ("chat-v2",))


def speaks_spanish(dimensions: Dimensions) -> bool:
    return dimensions.get("language") == ("es",)


def test_a_prompt_that_lost_its_rule_is_found_with_cohort_change_and_layer() -> None:
    benign = Change(id="benign", time_ns=ONSET - MINUTE // 2, kind=ChangeKind.CONFIG, target="log-level", service=SERVICE)
    found = diagnose(dropped_rule(), prompt_change(), benign, signals=(signal("ungrounded_answer"),))
    assert found.cohort == {"prompt.version": "chat-v2"}
    assert found.cohort_confidence > 0.9
    assert found.layers[0].layer is Layer.PROMPT_ENGINEERING
    assert found.layers[0].probability > 0.8
    assert found.causes[0].change_id == "guilty"
    assert found.causes[0].suspect == {"prompt.version": "chat-v2"}
    assert found.actions[0].startswith("roll back change guilty")
    assert found.calls_seen > 100


def test_poisoned_documents_point_at_their_source() -> None:
    shop = Shop().break_(["document_injection", "ungrounded_answer"], lambda d: "blog" in d["document.source"])
    found = diagnose(shop, signals=(signal("document_injection"),))
    assert found.cohort == {"document.source": "blog"}
    assert found.causes[0].fault == "poisoned_document"
    assert found.causes[0].change_id == ""


def test_a_version_that_nobody_announced_is_still_the_suspect() -> None:
    found = diagnose(dropped_rule(), signals=(signal("ungrounded_answer"),))
    assert found.layers[0].layer is Layer.PROMPT_ENGINEERING
    assert found.causes[0].change_id == ""
    assert found.causes[0].suspect == {"prompt.version": "chat-v2"}
    assert any("nobody told of" in s.text for s in found.evidence)


def test_probabilities_are_a_distribution_over_all_layers_the_most_probable_first() -> None:
    found = diagnose(dropped_rule(), signals=(signal("ungrounded_answer"),))
    told = [p.probability for p in found.layers]
    assert {p.layer for p in found.layers} == set(Layer)
    np.testing.assert_allclose(sum(told), 1.0)
    assert told == sorted(told, reverse=True)
    assert 0 < len(found.causes) <= 5


def test_evidence_has_numbers_and_calls_that_show_it() -> None:
    found = diagnose(dropped_rule(), prompt_change(), signals=(signal("ungrounded_answer"),))
    grounding = next(s for s in found.evidence if s.group == "prompt")
    assert "%" in grounding.text
    assert len(grounding.exemplars) == 3
    assert any("chat-v2" in s.text for s in found.evidence if s.group == "cohort")


def test_a_failure_of_everybody_says_that_no_dimension_explains_it() -> None:
    found = diagnose(Shop().break_(["refusal"]), signals=(signal("refusal"),))
    assert found.cohort == {}
    assert any("No dimension explains it" in s.text for s in found.evidence)


def test_the_segment_and_onset_of_a_signal_are_hints_and_no_truth() -> None:
    wrong = signal("ungrounded_answer", Segment(SERVICE, "region", "eu"), onset_ns=ONSET + HOUR)
    found = DIAGNOSER.find(incident(wrong), dropped_rule().telemetry(), END)
    assert found.cohort.conditions == {"prompt.version": "chat-v2"}
    assert abs(found.onset.time_ns - ONSET) < 10 * MINUTE


def test_without_any_telemetry_it_is_unsure_and_says_so() -> None:
    nothing = ShopTelemetry({})
    found = DIAGNOSER.diagnose(incident(signal("refusal")), nothing, END)
    assert found.cohort == {}
    assert found.calls_seen == 0
    assert found.confidence < 0.5
    assert any("No scores" in s.text for s in found.evidence)


def test_an_incident_that_a_person_opened_without_a_signal_is_diagnosed_too() -> None:
    assert DIAGNOSER.diagnose(incident(), dropped_rule().telemetry(), END).layers


def test_a_metric_that_nobody_defined_is_taken_by_its_looks() -> None:
    shop = Shop().break_(["refusal"], lambda d: d["tenant"] == ("beta",))
    shop.values["evaluation.helpfulness"] = shop.values.pop("refusal")
    shop.kept["evaluation.helpfulness"] = shop.kept.pop("refusal")
    found = diagnose(shop, signals=(signal("evaluation.helpfulness"),))
    assert found.cohort == {"tenant": "beta"}


def test_the_same_question_gets_the_same_answer_and_it_can_be_kept() -> None:
    one, other = (diagnose(dropped_rule(), signals=(signal("ungrounded_answer"),)) for _ in range(2))
    assert one == other
    assert msgspec.json.decode(msgspec.json.encode(one), type=Diagnosis) == one


def test_failures_of_rates_alone_lead_and_each_metric_speaks_once() -> None:
    loud = msgspec.structs.replace(signal("latency"), log_evidence=900.0)
    noise = msgspec.structs.replace(signal("truncation"), log_evidence=500.0, verdict=Verdict.NOISE)
    chosen = leading((noise, loud, signal("refusal"), signal("refusal", Segment(SERVICE, "region", "eu"))), METRICS)
    assert [s.metric for s in chosen] == ["refusal"]
    assert [s.metric for s in leading((noise, loud), METRICS)] == ["latency"]
    assert [s.metric for s in leading((noise,), METRICS)] == ["truncation"]
    assert leading((), METRICS) == []


def test_the_failures_that_took_fewest_calls_lead() -> None:
    slow = msgspec.structs.replace(signal("truncation"), calls=400, log_evidence=30.0)
    clear = [
        msgspec.structs.replace(signal(name), calls=40, log_evidence=16.0) for name in ("refusal", "error", "format_violation")
    ]
    assert "truncation" not in [s.metric for s in leading((slow, *clear), METRICS)]


def test_a_small_segment_that_was_drawn_in_late_does_not_lead() -> None:
    odd = signal("truncation", Segment(SERVICE, "tool", "odd"), onset_ns=ONSET + HOUR)
    thin = msgspec.structs.replace(odd, calls=8, log_evidence=18.0)
    first = msgspec.structs.replace(thin, detected_ns=ONSET)
    many = [
        msgspec.structs.replace(signal(name), calls=200, log_evidence=18.0) for name in ("refusal", "error", "format_violation")
    ]
    assert "truncation" not in [s.metric for s in leading((thin, *many), METRICS)]
    assert "truncation" in [s.metric for s in leading((first, *many), METRICS)]
    assert [s.metric for s in leading((thin,), METRICS)] == ["truncation"]


def test_an_attacker_is_the_cohort_wherever_they_ask() -> None:
    shop = Shop().arrive("user", "mallory", 0.06)
    shop = shop.break_(["prompt_injection"], lambda d: d.get("user") == ("mallory",) and d["route"] == ("/chat",), share=0.9)
    found = diagnose(shop, signals=(signal("prompt_injection", Segment(SERVICE, "user", "mallory")),))
    assert found.cohort == {"user": "mallory"}


def test_a_harmless_prompt_change_that_moves_amounts_does_not_hide_who_is_hurt() -> None:
    shop = (
        Shop()
        .upgrade("prompt.version", "chat-v1", "chat-v2")
        .scale("input_tokens", 1.6, lambda d: d["prompt.version"] == ("chat-v2",))
    )
    shop.break_(["refusal"], lambda d: "blog" in d["document.source"])
    loud = msgspec.structs.replace(signal("input_tokens"), log_evidence=900.0, verdict=Verdict.ANOMALY)
    found = diagnose(shop, prompt_change(), signals=(loud, signal("refusal")))
    assert found.cohort == {"document.source": "blog"}
    assert found.causes[0].change_id != "guilty"


def test_an_alarm_that_nothing_in_the_calls_bears_out_is_more_probably_benign_than_one_that_is_there() -> None:
    calm = diagnose(Shop(), signals=(signal("refusal"),))
    hurt = diagnose(Shop().break_(["refusal"]), signals=(signal("refusal"),))
    benign = [next(p.probability for p in d.layers if p.layer is Layer.BENIGN) for d in (calm, hurt)]
    assert benign[0] > 3 * benign[1]


@pytest.mark.parametrize("first", ["index", "prompt"])
def test_of_two_deploys_to_the_same_calls_the_one_with_which_it_began_is_named(first: str) -> None:
    shop, early = Shop(), ONSET - 40 * MINUTE
    starts = (
        {"index.version": early, "prompt.version": ONSET}
        if first == "index"
        else {"index.version": ONSET, "prompt.version": early}
    )
    for i, dimensions in enumerate(shop.dimensions):
        if dimensions["route"] == ("/chat",):
            new = {name: ("v2" if shop.time_ns[i] >= start else "v1",) for name, start in starts.items()}
            shop.dimensions[i] = {**dimensions, **new}
    shop.break_(["ungrounded_answer", "unsupported_numbers"], lambda d: d["route"] == ("/chat",), 0.4)
    changes = [
        Change(id=name, time_ns=start - MINUTE // 2, kind=kind, service=SERVICE, to_value="v2")
        for (name, start), kind in zip(starts.items(), (ChangeKind.INDEX, ChangeKind.PROMPT), strict=True)
    ]
    found = diagnose(shop, *changes, signals=(signal("unsupported_numbers", Segment(SERVICE, "route", "/chat")),))
    guilty = "prompt.version" if first == "index" else "index.version"
    assert found.cohort == {guilty: "v2"}
    assert found.causes[0].change_id == guilty


def test_a_region_without_which_a_new_prompt_does_no_harm_is_as_much_what_the_failure_is_about() -> None:
    shop = Shop().upgrade("prompt.version", "chat-v1", "chat-v2")
    shop.break_(["ungrounded_answer"], lambda d: d["prompt.version"] == ("chat-v2",) and d["region"] == ("eu",), 0.5)
    told = incident(signal("ungrounded_answer", Segment(SERVICE, "region", "eu")))
    found = DIAGNOSER.find(told, shop.telemetry(prompt_change()), END)
    assert set(found.cohort.conditions) == {"prompt.version", "region"}
    assert found.dimensions["region"] == pytest.approx(0.5)
    assert sum(found.dimensions.values()) == pytest.approx(1.0)


def test_a_metric_that_only_calls_of_one_tool_have_is_about_that_tool_and_not_about_everybody() -> None:
    shop = Shop()
    for i in range(0, len(shop.dimensions), 6):
        shop.dimensions[i] = {**shop.dimensions[i], "tool": ("dose_check",)}
    shop.break_(["tool_error"], share=0.3)
    shop.kept["tool_error"] = np.array(["tool" in d for d in shop.dimensions])
    assert diagnose(shop, signals=(signal("tool_error"),)).cohort == {"tool": "dose_check"}


def test_a_metric_that_all_calls_have_and_that_rose_everywhere_is_about_everybody() -> None:
    shop = Shop().break_(["refusal"], share=0.3)
    assert diagnose(shop, signals=(signal("refusal"),)).cohort == {}


def louder_elsewhere() -> tuple[Shop, Signal]:
    """The chat route is hurt; of the others, tenant cade more so. The signal is of the former, and knows its bad calls."""
    shop = Shop().break_(["ungrounded_answer"], lambda d: d["route"] == ("/chat",), 0.2)
    shop.break_(["ungrounded_answer"], lambda d: d["route"] != ("/chat",) and d["tenant"] == ("cade",), 0.9)
    spread = Spread(calls=20, beyond=0.7, within=(("route", "/chat", 20), ("tenant", "acme", 12), ("region", "eu", 10)))
    return shop, msgspec.structs.replace(signal("ungrounded_answer", Segment(SERVICE, "route", "/chat")), spread=spread)


def test_a_louder_fault_elsewhere_does_not_take_an_incident_over() -> None:
    shop, first = louder_elsewhere()
    blind = msgspec.structs.replace(first, spread=None)
    assert "tenant" in diagnose(shop, signals=(blind,)).cohort, "the louder one is what is found otherwise"
    assert "tenant" not in diagnose(shop, signals=(first,)).cohort


def test_where_the_other_fault_has_its_own_incident_its_calls_are_left_out() -> None:
    shop, first = louder_elsewhere()
    cohort = Diagnosis(time_ns=0, layers=(), causes=(), cohort={"tenant": "cade"}, cohort_confidence=1.0)
    other = msgspec.structs.replace(incident(signal("refusal")), id="inc_2", diagnosis=cohort)
    found = DIAGNOSER.diagnose(incident(first), shop.telemetry(), END, [other])
    assert found.cohort == {"route": "/chat"}


def test_a_language_that_arrives_and_scores_worse_is_no_failure_that_anything_may_be_done_about() -> None:
    spanish = Shop().arrive("language", "es").break_(["ungrounded_answer", "unsupported_numbers"], speaks_spanish)
    spanish.scale("cost", 0.4, speaks_spanish)
    found = diagnose(spanish, signals=(signal("ungrounded_answer", Segment(SERVICE, "language", "es")),))
    assert found.cohort == {"language": "es"}
    assert found.layers[0].layer is Layer.BENIGN
    assert found.confidence_low < 0.85


def test_a_language_that_was_always_there_and_scores_worse_has_failed() -> None:
    shop = Shop()
    for i in range(0, len(shop.dimensions), 4):
        shop.dimensions[i] = {**shop.dimensions[i], "language": ("es",)}
    shop.break_(["ungrounded_answer", "unsupported_numbers"], speaks_spanish)
    found = diagnose(shop, signals=(signal("ungrounded_answer", Segment(SERVICE, "language", "es")),))
    assert found.cohort == {"language": "es"}
    assert found.layers[0].layer is not Layer.BENIGN


def test_nine_thousand_calls_take_about_a_second_of_one_core() -> None:
    shop = Shop(calls=9000).break_(["ungrounded_answer"], lambda d: d["route"] == ("/chat",))
    question: Incident = incident(signal("ungrounded_answer"))
    telemetry = shop.telemetry()
    started = time.process_time()
    DIAGNOSER.diagnose(question, telemetry, END)
    assert time.process_time() - started < 5.0, "an order of magnitude, not a benchmark: see bench/diagnose.py"


def guarded(*metrics: str) -> Diagnosis:
    """In one region a share of the answers is replaced, after a change of the guard."""
    shop = Shop()
    shop.values["guardrail_error"], shop.kept["guardrail_error"] = np.zeros(len(shop.dimensions)), shop.kept["error"]
    shop.break_(metrics, lambda d: d["region"] == ("eu",), 0.2)
    change = Change(
        id="guard", time_ns=ONSET - MINUTE, kind=ChangeKind.GUARDRAIL, target="tone", service=SERVICE, scope={"region": "eu"}
    )
    diagnoser = Diagnoser({**METRICS, "guardrail_error": metric("guardrail_error")})
    return diagnoser.diagnose(incident(signal(metrics[0])), shop.telemetry(change), END)


@pytest.mark.parametrize(
    "harm", [("answer_altered",), ("answer_altered", "guardrail_block"), ("guardrail_block", "refusal")], ids=str
)
def test_a_guard_that_fails_where_answers_are_blocked_or_replaced_is_down_and_no_filter_is_misset(harm: tuple[str, ...]) -> None:
    found = guarded("guardrail_error", *harm)
    assert (found.causes[0].fault, found.causes[0].change_id) == ("guard_model_down", "guard")
    assert found.confidence > 0.8


def test_a_guard_that_blocks_without_failing_is_misset() -> None:
    assert guarded("guardrail_block", "refusal", "answer_altered").layers[0].layer is Layer.OUTPUT_PROCESSING


@pytest.mark.parametrize(("german", "cohort"), [(0.02, {}), (0.3, {"language": "en"})])
def test_the_language_of_nearly_everybody_is_no_cohort(german: float, cohort: dict[str, str]) -> None:
    shop = Shop()
    chance = shop.random.random(len(shop.dimensions))
    for place, dimensions in enumerate(shop.dimensions):
        if chance[place] > 0.2:  # a fifth of the requests is too short to tell
            shop.dimensions[place] = {**dimensions, "language": ("de" if chance[place] > 1 - german * 0.8 else "en",)}
    found = diagnose(shop.break_(["refusal"], lambda d: d.get("language") == ("en",)), signals=(signal("refusal"),))
    assert found.cohort == cohort


def spoken(shop: Shop) -> Shop:
    """A tenth of the calls is in Polish, the rest in English."""
    for place, dimensions in enumerate(shop.dimensions):
        shop.dimensions[place] = {**dimensions, "language": ("pl" if place % 10 == 0 else "en",)}
    return shop


def broken_late(seed: int, hurt: Hurt, share: float, late_minutes: float) -> Shop:
    """A fault of few calls that strikes from the onset on; the first bad ones are seen some time later."""
    shop = spoken(Shop(seed)).break_(["refusal"], hurt, share)
    quiet = shop.late & (shop.time_ns < ONSET + int(late_minutes * MINUTE))
    shop.values["refusal"] = np.where(quiet, 0.03, shop.values["refusal"])
    return shop


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_an_announced_change_of_just_the_sick_calls_is_when_it_began(seed: int) -> None:
    shop = broken_late(seed, lambda d: d["tenant"] == ("cade",), 0.25, 25)
    change = Change(
        id="guilty", time_ns=ONSET, kind=ChangeKind.CONFIG, target="decoding", service=SERVICE, scope={"tenant": "cade"}
    )
    found, alone = (diagnose(shop, *changes, signals=(signal("refusal"),)) for changes in ((change,), ()))
    assert abs(alone.onset_ns - ONSET) > 20 * MINUTE
    assert abs(found.onset_ns - ONSET) < 10 * MINUTE
    assert found.causes[0].change_id == "guilty"


def test_a_remedy_for_just_the_sick_is_no_beginning() -> None:
    shop = broken_late(2, lambda d: d["tenant"] == ("cade",), 0.25, 25)
    lease = Change(
        id="ctl_1", time_ns=ONSET, kind=ChangeKind.GUARDRAIL, target="strict_filter", source=CONTROL, scope={"tenant": "cade"}
    )
    with_lease, alone = (diagnose(shop, *changes, signals=(signal("refusal"),)) for changes in ((lease,), ()))
    assert with_lease.onset_ns == alone.onset_ns


def test_a_new_prompt_of_everybody_that_harms_one_language_is_when_it_began_and_what_did_it() -> None:
    shop = spoken(Shop())
    for route in ("chat", "search", "refund"):
        shop.upgrade("prompt.version", f"{route}-v1", "all-v2")
    shop.break_(["refusal", "ungrounded_answer"], lambda d: d["language"] == ("pl",), 0.4)
    change = Change(id="guilty", time_ns=ONSET - MINUTE, kind=ChangeKind.PROMPT, target="all", to_value="all-v2", service=SERVICE)
    found = diagnose(shop, change, signals=(signal("refusal"),))
    assert found.cohort["language"] == "pl"
    assert abs(found.onset_ns - ONSET) < 15 * MINUTE
    assert found.causes[0].change_id == "guilty"


@pytest.mark.parametrize("scope", [{}, {"tenant": "cade"}], ids=["everybody", "just the sick"])
def test_a_change_that_came_when_calls_failed_already_is_never_guilty(scope: dict[str, str]) -> None:
    shop = Shop().break_(["refusal"], lambda d: d["tenant"] == ("cade",), 0.6)
    late = Change(id="late", time_ns=ONSET + HOUR, kind=ChangeKind.CONFIG, target="decoding", service=SERVICE, scope=scope)
    told = msgspec.structs.replace(signal("refusal"), detected_ns=ONSET + 2 * HOUR)
    found = DIAGNOSER.diagnose(incident(told), shop.telemetry(late), END)
    assert {cause.change_id for cause in found.causes} == {""}
