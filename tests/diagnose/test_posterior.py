"""Probabilities are a distribution, follow the evidence, and are modest without it."""

import numpy as np
import pytest

from holdfast.core.change import Change, ChangeKind
from holdfast.core.diagnosis import Layer
from holdfast.diagnose.calibration import Calibration, shipped
from holdfast.diagnose.catalogue.registry import PRIOR
from holdfast.diagnose.changes import Suspect
from holdfast.diagnose.evidence.composite import Reading
from holdfast.diagnose.moves import Step
from holdfast.diagnose.posterior import Model, Posterior, primary

MODEL = Model(Calibration())


def readings(group: str = "prompt", **steps: Step) -> dict[str, list[Reading]]:
    return {group: [Reading(name, step, name) for name, step in steps.items()]}


def suspect(log_bayes: float, kind: ChangeKind = ChangeKind.PROMPT, target: str = "", id_: str = "c") -> Suspect:
    return Suspect(kind, 0, log_bayes, Change(id=id_, time_ns=0, kind=kind, target=target))


def probability(posterior: Posterior, fault: str) -> float:
    return float(posterior.probability[posterior.names.index(fault)])


def test_without_evidence_only_the_silence_of_the_change_log_moves_the_prior() -> None:
    posterior = MODEL.posterior({}, {}, [])
    assert max(posterior.of_layer(layer) for layer in Layer) < 0.5
    assert posterior.of_layer(Layer.PROMPT_ENGINEERING) < PRIOR[Layer.PROMPT_ENGINEERING]
    np.testing.assert_allclose(posterior.probability.sum(), 1.0)
    assert posterior.of_layer(Layer.UNKNOWN) >= 0.08


def test_a_surge_of_unfilled_variables_after_a_prompt_change_is_the_template() -> None:
    posterior = MODEL.posterior(readings(template=Step.SURGE), {"prompt.version": 1.0}, [suspect(5.0)])
    assert posterior.names[int(posterior.probability.argmax())] == "template_variable_unsubstituted"
    assert posterior.of_layer(Layer.PROMPT_ENGINEERING) > 0.9


def test_attackers_who_get_short_refusals_have_not_been_routed_to_another_model() -> None:
    told = (
        readings(refusal=Step.SURGE, relevance=Step.SURGE)
        | readings("model", drift=Step.SURGE, answer_length=Step.FALL, model_speed=Step.DIP, cost=Step.FALL)
        | readings("traffic", injection=Step.SURGE, concentration=Step.SURGE)
    )
    assert MODEL.posterior(told, {"tenant": 1.0}, []).of_layer(Layer.INPUT_DATA) > 0.9
    calm = told | readings("traffic", injection=Step.FLAT, concentration=Step.FLAT)
    assert MODEL.posterior(calm, {"tenant": 1.0}, []).of_layer(Layer.INPUT_DATA) < 0.1


def test_evidence_that_is_missing_changes_nothing_and_calm_evidence_does() -> None:
    base = MODEL.posterior({}, {}, [])
    np.testing.assert_allclose(MODEL.posterior({"prompt": []}, {}, []).probability, base.probability)
    calm = MODEL.posterior(readings(template=Step.FLAT), {}, [])
    assert probability(calm, "template_variable_unsubstituted") < probability(base, "template_variable_unsubstituted") / 2


def test_a_higher_temperature_is_less_sure() -> None:
    evidence = readings(template=Step.SURGE)
    cold, hot = (Model(Calibration(temperature=t)).posterior(evidence, {}, []).probability.max() for t in (1.0, 3.0))
    assert hot < cold


def test_a_group_with_a_small_exponent_counts_for_less() -> None:
    evidence = readings(template=Step.SURGE)
    full, less = (Model(Calibration(exponents={"prompt": e})).posterior(evidence, {}, []) for e in (1.0, 0.3))
    name = "template_variable_unsubstituted"
    assert probability(less, name) < probability(full, name)


def test_guilt_goes_to_the_change_with_the_evidence_and_to_none_where_there_is_little() -> None:
    posterior = MODEL.posterior({}, {}, [suspect(6.0), suspect(-4.0, id_="other")])
    row = posterior.guilt[posterior.names.index("grounding_rule_dropped")]
    np.testing.assert_allclose(row.sum(), 1.0)
    assert row[0] > 0.95
    weak = MODEL.posterior({}, {}, [suspect(-5.0)])
    assert weak.guilt[weak.names.index("stale_index")][-1] > 0.9


def test_the_name_of_a_change_helps_the_fault_that_it_names() -> None:
    named = MODEL.posterior({}, {}, [suspect(5.0, ChangeKind.CONFIG, "temperature")])
    plain = MODEL.posterior({}, {}, [suspect(5.0, ChangeKind.CONFIG, "settings")])
    assert probability(named, "temperature_too_high") > probability(plain, "temperature_too_high")


def test_of_two_deploys_near_the_onset_the_one_that_is_named_after_the_fault_is_guilty_of_it() -> None:
    near, named = suspect(2.9, ChangeKind.CODE, "web frontend"), suspect(0.8, ChangeKind.CODE, "response-cache", "named")
    posterior = MODEL.posterior({}, {}, [near, named])
    assert posterior.guilt[posterior.names.index("response_cache_key_bug")][1] > 0.5
    assert posterior.guilt[posterior.names.index("translation_failure")][0] > 0.5
    far = MODEL.posterior({}, {}, [suspect(6.0, ChangeKind.CODE, "web frontend"), named])
    assert far.guilt[far.names.index("response_cache_key_bug")][0] > 0.5


def test_cohorts_that_cannot_be_told_apart_lie_between_their_parts() -> None:
    layers = [
        MODEL.posterior({}, dimensions, []).of_layer(Layer.PROMPT_ENGINEERING)
        for dimensions in ({"index.version": 1.0}, {"prompt.version": 0.5, "index.version": 0.5}, {"prompt.version": 1.0})
    ]
    assert layers == sorted(layers)


@pytest.mark.parametrize("model", [MODEL, Model(shipped())])
def test_no_hypothesis_is_ever_impossible(model: Model) -> None:
    posterior = model.posterior(readings(template=Step.SURGE, refusal=Step.FALL), {"tool": 1.0}, [suspect(50.0)])
    assert (posterior.probability > 0).all()
    assert np.isfinite(posterior.probability).all()


def test_the_primary_dimension_is_the_new_one_else_the_most_telling_one() -> None:
    assert primary({}) == "none"
    assert primary({"route": "/chat", "tool": "search"}) == "tool"
    assert primary({"prompt.version": "v1", "model": "m2"}, [("model", "m2")]) == "model"
