"""Configuration in, scorers out; every mistake names its key, and no secret is shown or sent in the clear."""

from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.core.errors import ConfigurationError
from holdfast.score.external.build import external_scorers, metrics_with
from holdfast.score.external.scorer import SCORING_COST, External
from holdfast.score.external.specification import EndpointSpecification, JudgeSpecification, Specification
from holdfast.score.registry import METRICS
from holdfast.testing.clock import FakeClock
from holdfast.testing.model_server import Reply, ScriptedModelServer
from holdfast.testing.service import Request, Response, ScriptedService
from tests.score.build import trace

JUDGE: dict[str, Any] = {
    "kind": "judge",
    "metric": "judged_rude",
    "url": "https://example.org/v1",
    "model": "m",
    "rubric": "rude",
}
VERDICT = Reply(text='{"reason": "rude", "probability": 0.9}', input_tokens=10, output_tokens=10)


@pytest.fixture
def opened() -> Iterator[list[External]]:
    scorers: list[External] = []
    yield scorers
    for scorer in scorers:
        scorer.close()


def build(opened: list[External], environment: dict[str, str] | None = None, **specifications: Specification) -> External:
    opened += external_scorers(specifications, FakeClock(), environment or {})
    return opened[-1]


def test_no_specification_is_no_scorer() -> None:
    assert external_scorers({}, FakeClock(), {}) == ()
    assert metrics_with(()) == METRICS


def test_a_judge_is_built_and_judges_with_its_key(opened: list[External]) -> None:
    with ScriptedModelServer([VERDICT]) as server:
        told = JudgeSpecification(**JUDGE | {"url": f"{server.url}/v1/", "api_key_env": "KEY", "input_usd_per_million": 100.0})
        scorer = build(opened, {"KEY": " sk-1 "}, mine=told)
        assert {s.metric: s.value for s in scorer.score(trace())} == {"judged_rude": 0.9, "scoring_cost": 0.001}
    assert (scorer.name, scorer.metrics[1]) == ("mine", SCORING_COST)
    assert "sk-1" not in repr(scorer)


def test_an_endpoint_is_built_and_asked_with_its_header(opened: list[External]) -> None:
    def score(request: Request) -> Response:
        assert request.headers["x-token"] == "s3cret"
        return Response(body={"scores": [{"value": 0.2}]})

    with ScriptedService(score) as service:
        told = EndpointSpecification(
            kind="endpoint", metric="odd", url=service.url, auth_env="KEY", auth_header="X-Token", auth_scheme=""
        )
        (found,) = build(opened, {"KEY": "s3cret"}, mine=told).score(trace())
    assert found.value == 0.2


def test_its_metric_joins_the_definitions(opened: list[External]) -> None:
    scorer = build(opened, mine=JudgeSpecification(**JUDGE))
    definitions = metrics_with((scorer,))
    assert definitions["judged_rude"] is scorer.metrics[0]
    assert definitions["refusal"] is METRICS["refusal"]


@pytest.mark.parametrize(
    ("name", "fields", "named"),
    [
        ("refusal", {}, "scorers.refusal: the name"),
        ("my-judge", {}, "scorers.my-judge: the name"),
        ("mine", {"metric": "refusal"}, "scorers.mine.metric: refusal is another"),
        ("mine", {"corrects": "nonsense"}, "scorers.mine.corrects: no metric 'nonsense'"),
        ("mine", {"api_key_env": "KEY"}, "scorers.mine.api_key_env: the environment has no variable KEY"),
        ("mine", {"api_key_env": "SET", "url": "http://models.example/v1"}, "scorers.mine.api_key_env: a secret may be sent"),
    ],
    ids=[
        "a name that is taken",
        "a name that is none",
        "a metric that is taken",
        "a metric that is none",
        "no secret",
        "in the clear",
    ],
)
def test_a_mistake_names_its_key(opened: list[External], name: str, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        build(opened, {"SET": "s3cret"}, **{name: JudgeSpecification(**JUDGE | fields)})


def test_two_scorers_cannot_give_one_metric(opened: list[External]) -> None:
    with pytest.raises(ConfigurationError, match=r"scorers\.second\.metric"):
        build(opened, first=JudgeSpecification(**JUDGE), second=JudgeSpecification(**JUDGE))
