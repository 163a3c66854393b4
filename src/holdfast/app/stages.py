"""The stages, built from the settings."""

import os
from collections.abc import Mapping
from functools import partial
from math import inf

from holdfast.context.entities import Entity, RedactionPolicy, Treatment
from holdfast.context.language import SAMPLE_CHARS, identify
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import ConfigurationError
from holdfast.core.score import Metric
from holdfast.correlate.correlator import Correlator
from holdfast.correlate.policy import CorrelatePolicy
from holdfast.detect.detection import Detection
from holdfast.detect.objective import Objective
from holdfast.detect.policy import DetectPolicy
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.ingest.assemble import Assembler, AssemblyPolicy
from holdfast.ingest.child import settle_memory
from holdfast.ledger.store import Ledger
from holdfast.pipeline import KeepsTelemetry, Stages
from holdfast.score.language import ENGLISH, SURE
from holdfast.score.registry import METRICS, scorers_with
from holdfast.scoring import Scores, ScoringApart, ScoringHere
from holdfast.settings import Settings

GATHERED_CALLS = 4_000
"""Calls that are written together, unless a checkpoint or somebody who reads comes first."""


def redaction_policy(settings: Settings) -> RedactionPolicy:
    """What is done with personal data and secrets.

    Raises:
        ConfigurationError: an entity is unknown, or `seal` is said of a secret.
    """
    services: dict[str, dict[Entity, Treatment]] = {}
    for name, application in settings.applications.items():
        own = _treatments(application.redaction, f"applications.{name}.redaction")
        # What its token may send is the application's, whatever name it goes by.
        services |= {service: services.get(service, {}) | own for service in (name, *application.services)}
    try:
        return RedactionPolicy(
            default=Treatment(settings.redaction.default),
            entities=_treatments(settings.redaction.entities, "redaction.entities"),
            services=services,
        )
    except ValueError as error:
        raise ConfigurationError(f"applications.NAME.redaction: {error}") from None


def _treatments(named: Mapping[str, str], key: str) -> dict[Entity, Treatment]:
    unknown = sorted(set(named) - {str(entity) for entity in Entity})
    if unknown:
        raise ConfigurationError(f"{key}.{unknown[0]}: no such entity; one of {', '.join(Entity)}")
    return {Entity(name): Treatment(value) for name, value in named.items()}


def scoring_here(share: float = inf) -> Scores:
    """Scoring in this process; `share` as in `scorers_with`."""
    return ScoringHere(scorers_with(share))


def scoring_beside(share: float = inf) -> Scores:
    """Scoring in a process of its own, where there is a second core for it."""
    if (os.cpu_count() or 1) == 1:
        return scoring_here(share)
    return ScoringApart(partial(scorers_with, share), settle_memory)


def language_of(text: str) -> str:
    """ISO 639 code of the language of a question, ``und`` where it does not show.

    English is told by its function words, as `score.language` does: that takes a twentieth of the time.
    """
    beginning = text[:SAMPLE_CHARS]
    if beginning.isascii() and len(ENGLISH.intersection(beginning.lower().split())) >= SURE:
        return "en"
    return identify(text)[0]


def detect_policy(settings: Settings) -> DetectPolicy:
    """The false-alarm budget and the objectives.

    Raises:
        ConfigurationError: an objective cannot be kept; names the key.
    """
    return DetectPolicy(
        false_alarms_per_day=settings.detection.false_alarms_per_day,
        objectives=tuple(Objective(name=name, **given.model_dump()) for name, given in settings.objectives.items()),
    )


def build_stages(
    settings: Settings,
    telemetry: KeepsTelemetry,
    ledger: Ledger,
    scoring: Scores | None = None,
    metrics: dict[str, Metric] = METRICS,
) -> Stages:
    """All stages, new; scoring in this process unless another one is given. `metrics`: definitions of all that it gives."""
    return Stages(
        assembler=Assembler(
            AssemblyPolicy(
                linger_ns=int(settings.ingest.trace_linger_s * NS_PER_S),
                patience_ns=int(settings.ingest.trace_patience_s * NS_PER_S),
            ),
            language_of,
        ),
        scoring=scoring or scoring_here(),
        telemetry=telemetry,
        detection=Detection(metrics, detect_policy(settings)),
        correlator=Correlator(metrics, CorrelatePolicy()),
        diagnoser=Diagnoser(metrics),
        ledger=ledger,
        metrics=metrics,
    )
