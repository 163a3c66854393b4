"""Scorers that a user brings keep the same contract as those of Holdfast, whatever the telemetry looks like."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from holdfast.score.deferred import DeferredScoring
from holdfast.score.external.build import external_scorers, metrics_with
from holdfast.score.external.scorer import External
from holdfast.score.external.specification import EndpointSpecification, HuggingFaceSpecification, JudgeSpecification
from holdfast.score.run import Scoring
from holdfast.testing.clock import FakeClock
from holdfast.testing.model_server import Reply, ScriptedModelServer
from holdfast.testing.service import Request, Response, ScriptedService
from tests.conformance.test_scorers import SHAPES, TEXTS, checked, everywhere, says_what_it_is, yields_only_what_it_declares
from tests.score.build import ANSWER, QUESTION, REFUNDS, exchange
from tests.score.external.tiny_model import tiny

KINDS = ("judge", "endpoint", "classifier", "tagger", "pair")
VERDICT = Reply(text=json.dumps({"reason": "so", "probability": 0.3}), input_tokens=9, output_tokens=9)


def scores(request: Request) -> Response:
    return Response(body={"scores": [{"value": 0.3, "why": "so"} for _ in request.body["inputs"]]})


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, External]]:
    folder = tmp_path_factory.mktemp("models")
    classifier, pair = tiny(folder / "classifier"), tiny(folder / "pair", pair=True)
    tagger = tiny(folder / "tagger", task="token", labels=("O", "B-PER"))
    with ScriptedModelServer([VERDICT]) as model, ScriptedService(scores) as service:
        found = external_scorers(
            {
                "judge": JudgeSpecification(
                    kind="judge", metric="judged", url=f"{model.url}/v1", model="m", rubric="x", sample=1.0, reads=("answer",)
                ),
                "endpoint": EndpointSpecification(kind="endpoint", metric="rated", url=service.url),
                "classifier": HuggingFaceSpecification(
                    kind="huggingface", metric="classified", path=str(classifier), failure_labels=("toxic",)
                ),
                "tagger": HuggingFaceSpecification(
                    kind="huggingface", metric="tagged", path=str(tagger), failure_labels=("PER",), reads=("question",)
                ),
                "pair": HuggingFaceSpecification(
                    kind="huggingface",
                    metric="paired",
                    path=str(pair),
                    failure_labels=("toxic",),
                    reads=("context", "answer"),
                ),
            },
            FakeClock(),
            {},
        )
        yield {scorer.name: scorer for scorer in found}
        for scorer in found:
            scorer.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_configured_scorer_says_what_it_is(brought: dict[str, External], kind: str) -> None:
    says_what_it_is(brought[kind], metrics_with((brought[kind],)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_configured_scorer_yields_only_what_it_declares(brought: dict[str, External], kind: str) -> None:
    yields_only_what_it_declares(brought[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_configured_scorer_has_a_say_on_an_exchange(brought: dict[str, External], kind: str) -> None:
    scorer = brought[kind]
    (scored,) = Scoring([scorer]).score([exchange(ANSWER, QUESTION, REFUNDS)])
    assert scorer.metrics[0].name in {score.metric for score in scored.scores}


@pytest.mark.parametrize("name", [*SHAPES, *TEXTS])
def test_no_shape_and_no_text_makes_a_configured_scorer_fail(brought: dict[str, External], name: str) -> None:
    subject = SHAPES[name] if name in SHAPES else everywhere(TEXTS[name])
    scorers = tuple(brought.values())
    (scored,) = Scoring(scorers).score([subject])
    checked(scored, metrics_with(scorers))


def test_a_configured_scorer_does_not_change_the_trace(brought: dict[str, External]) -> None:
    subject = everywhere(REFUNDS)
    before = msgspec.msgpack.encode(subject.calls)
    Scoring(tuple(brought.values())).score([subject])
    assert msgspec.msgpack.encode(subject.calls) == before


def test_the_same_trace_gets_the_same_scores_beside_the_pipeline(brought: dict[str, External]) -> None:
    subject = exchange(ANSWER, QUESTION, REFUNDS)
    deferred = DeferredScoring(tuple(brought.values()), patient=True)
    deferred.submit([subject])
    late = {score.metric: score.value for scored in deferred.take() for score in scored.scores}
    deferred.close()
    (now,) = Scoring(tuple(brought.values())).score([subject])
    same = {score.metric: score.value for score in now.scores}
    assert late.pop("scoring_cost", 0) >= same.pop("scoring_cost", 0)
    assert late == same
