"""Specifications in, scorers out: the one place that knows every kind, and where secrets are read."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from holdfast.core.clock import Clock
from holdfast.core.errors import ConfigurationError
from holdfast.core.score import Metric
from holdfast.score.external.allowance import Allowance
from holdfast.score.external.endpoint import Endpoint
from holdfast.score.external.huggingface import Windowing, opened
from holdfast.score.external.judge import Judge, Prices
from holdfast.score.external.memory import Memory
from holdfast.score.external.post import Post
from holdfast.score.external.scorer import SCORING_COST, Asks, External
from holdfast.score.external.selection import Selection
from holdfast.score.external.specification import (
    EndpointSpecification,
    HuggingFaceSpecification,
    JudgeSpecification,
    Specification,
)
from holdfast.score.registry import METRICS, SCORERS

LOOPBACK = ("127.0.0.1", "localhost", "::1")
JUDGES_AT_ONCE = 4


def external_scorers(
    specifications: Mapping[str, Specification], clock: Clock, environment: Mapping[str, str] = os.environ
) -> tuple[External, ...]:
    """The scorers of ``[scorers.NAME]``, ready to be asked.

    Raises:
        ConfigurationError: a name or metric is taken, a secret is not in the environment, or a model cannot be opened; names
            the key.
    """
    taken = {scorer.name for scorer in SCORERS}
    metrics = dict(METRICS)
    found = []
    for name, specification in specifications.items():
        key = f"scorers.{name}"
        if name in taken or not name.isidentifier():
            raise ConfigurationError(f"{key}: the name must be an identifier that no scorer of Holdfast has")
        if specification.metric in metrics:
            raise ConfigurationError(f"{key}.metric: {specification.metric} is another scorer's metric")
        if specification.corrects and specification.corrects not in METRICS:
            raise ConfigurationError(f"{key}.corrects: no metric {specification.corrects!r}")
        metrics[specification.metric] = specification.definition(name)
        found.append(_built(name, specification, clock, environment))
    return tuple(found)


def metrics_with(scorers: tuple[External, ...]) -> dict[str, Metric]:
    """The definitions of all metrics, those of external scorers included."""
    return METRICS | {metric.name: metric for scorer in scorers for metric in scorer.metrics}


class _Parts(NamedTuple):
    """What is different between the kinds."""

    asks: Asks
    batch: int = 1
    workers: int = 1
    charges: bool = False


def _built(name: str, specification: Specification, clock: Clock, environment: Mapping[str, str]) -> External:
    key = f"scorers.{name}"
    match specification:
        case JudgeSpecification():
            kind, parts = "judge", _judge(key, specification, clock, environment)
        case EndpointSpecification():
            kind, parts = "endpoint", _endpoint(key, specification, environment)
        case HuggingFaceSpecification():
            kind, parts = "huggingface", _hugging_face(key, specification)
        case _:
            raise ConfigurationError(f"{key}.kind: no such kind of scorer")
    own = (specification.definition(name),)
    return External(
        name=name,
        version=specification.version(kind),
        metrics=(*own, SCORING_COST) if parts.charges else own,
        selection=Selection(specification.reads, specification.sample, frozenset(specification.applications)),
        asks=parts.asks,
        batch=parts.batch,
        queue=specification.queue,
        workers=parts.workers,
    )


def _judge(key: str, told: JudgeSpecification, clock: Clock, environment: Mapping[str, str]) -> _Parts:
    secret = _secret(f"{key}.api_key_env", told.api_key_env, told.url, environment)
    headers = {"authorization": f"Bearer {secret}"} if secret else {}
    judge = Judge(
        model=told.model,
        rubric=told.rubric,
        post=Post(f"{told.url.rstrip('/')}/chat/completions", headers, told.timeout_s, told.attempts),
        allowance=Allowance(told.calls_per_hour, told.usd_per_hour, clock),
        memory=Memory(told.remembered),
        prices=Prices(told.input_usd_per_million, told.output_usd_per_million),
        form=told.answer_format,
        max_tokens=told.max_tokens,
        extra=told.extra,
        omit=told.omit,
    )
    return _Parts(judge, workers=JUDGES_AT_ONCE, charges=True)


def _endpoint(key: str, told: EndpointSpecification, environment: Mapping[str, str]) -> _Parts:
    secret = _secret(f"{key}.auth_env", told.auth_env, told.url, environment)
    headers = {told.auth_header: f"{told.auth_scheme} {secret}".strip()} if secret else {}
    return _Parts(Endpoint(told.metric, Post(told.url, headers, told.timeout_s, told.attempts)), batch=told.batch)


def _hugging_face(key: str, told: HuggingFaceSpecification) -> _Parts:
    windowing = Windowing(told.failure_labels, told.max_tokens, told.max_windows, told.over_windows)
    try:
        model = opened(Path(told.path), told.runtime, told.threads, windowing, pair=len(told.reads) > 1)
    except ConfigurationError as error:
        raise ConfigurationError(f"{key}: {error}") from None
    return _Parts(model, batch=told.batch)


def _secret(key: str, variable: str, url: str, environment: Mapping[str, str]) -> str:
    """The secret in the environment, empty where none is named. It goes over TLS, or stays on this machine."""
    if not variable:
        return ""
    secret = environment.get(variable, "").strip()
    if not secret:
        raise ConfigurationError(f"{key}: the environment has no variable {variable}")
    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        raise ConfigurationError(f"{key}: a secret may be sent to an https:// address or to this machine only")
    return secret
