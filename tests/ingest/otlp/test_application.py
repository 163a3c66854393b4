import pytest

from holdfast.core.call import DIMENSIONS
from holdfast.ingest.otlp.application import OWN, PROPERTIES, RESOURCE, RULES, properties
from tests.ingest.otlp.bodies import mapped


def test_every_dimension_that_a_rule_names_exists() -> None:
    named = {rule.field.removeprefix("dimension.") for rule in (*OWN, *RULES) if rule.field.startswith("dimension.")}
    assert named | set(PROPERTIES.values()) | set(RESOURCE.values()) <= set(DIMENSIONS)


def test_properties_of_metadata_come_before_those_of_the_association_and_one_level_is_unfolded() -> None:
    found = {"~metadata": {"tenant": "a", "request": {"route": "/x"}}, "~association": {"tenant": "b", "user": "u"}}
    assert properties(found) == {"tenant": "a", "request": {"route": "/x"}, "request.route": "/x", "user": "u"}


def test_properties_that_are_no_object_are_none() -> None:
    assert properties({"~metadata": "text"}) == {}


@pytest.mark.parametrize(
    ("attributes", "value", "label", "comment"),
    [
        ({"user.feedback.score": 0.0}, 0.0, "", ""),
        ({"user.feedback.score": -1, "user.feedback": "bad answer", "user.feedback.comment": "no"}, -1.0, "bad answer", "no"),
        ({"user.feedback": "thumbs_down"}, 0.0, "thumbs_down", ""),
        ({"user.feedback": True}, 1.0, "", ""),
        ({"metadata": '{"user_feedback": 1}'}, 1.0, "", ""),
        ({"traceloop.association.properties.feedback": "up"}, 1.0, "up", ""),
    ],
)
def test_feedback_on_any_span_is_an_evaluation(attributes: dict[str, object], value: float, label: str, comment: str) -> None:
    (found,) = mapped(attributes).evaluations
    assert (found.name, found.value, found.label, found.explanation) == ("user_feedback", value, label, comment)


@pytest.mark.parametrize(
    ("attributes", "hit"),
    [({"gen_ai.cache.hit": True}, True), ({"cache_hit": "false"}, False), ({"holdfast.cache.hit": "hit"}, True), ({}, None)],
)
def test_a_cache_hit_is_known_or_unknown(attributes: dict[str, object], hit: bool | None) -> None:
    assert mapped(attributes).cache_hit is hit
