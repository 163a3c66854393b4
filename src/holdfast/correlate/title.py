"""Titles in plain words: what, how much, where, from what to what."""

import math
from collections.abc import Mapping

from holdfast.core.incident import Incident
from holdfast.core.score import Metric, Unit
from holdfast.core.signal import Signal, Verdict

MOST_HARM = 3
TIMES = ((1.75, 2.5, "doubled"), (2.5, 3.5, "tripled"), (3.5, 4.5, "quadrupled"))


def title_of(signal: Signal, metrics: Mapping[str, Metric], cohort: Mapping[str, str] | None = None, attackers: int = 0) -> str:
    """Such as ``Hallucination tripled for prompt.version=v2 of support: 4 % → 12 %``.

    `cohort` says for whom, where that is known better than by the signal's own segment; without one `attackers` say how many
    users it is about.
    """
    segment = signal.segment
    conditions = ", ".join(f"{name}={value}" for name, value in (segment.conditions if cohort is None else cohort).items())
    conditions = conditions or (f"{attackers} users" if attackers else "")
    where = f"{conditions} of {segment.service}" if conditions else segment.service
    if signal.detector == "coverage":
        return f"Scorer {signal.metric.partition('.')[2]} does not run for {where}: {signal.observed:.0%} of what it should"
    if signal.detector == "heartbeat":
        return f"{segment.service} fell silent"
    metric = metrics.get(signal.metric)
    name = (metric.failure_mode if metric else signal.metric).replace("_", " ")
    subject = name[:1].upper() + name[1:]
    if signal.detector == "hard":
        return f"{subject} in {where}"
    if signal.detector == "burn_rate":
        share = number(signal.bad / max(signal.calls, 1), Unit.PROBABILITY)
        return f"{subject} uses up its error budget for {where}: {share} of calls"
    unit = metric.unit if metric else Unit.PROBABILITY
    values = f"{number(signal.baseline, unit)} → {number(signal.observed, unit)}"
    return f"{subject} {change_in_words(signal)} for {where}: {values}"


def title_of_incident(incident: Incident, metrics: Mapping[str, Metric]) -> str:
    """The title by the worst and clearest of its failures, for the diagnosed cohort; as it is where no signal is a failure.

    Harm 3 comes first; under that a step of harm weighs as much as being twice as clear.
    """
    failures = [signal for signal in incident.signals if signal.verdict is Verdict.FAILURE]
    if not failures:
        return incident.title

    def weight(signal: Signal) -> tuple[bool, float]:
        harm = metrics[signal.metric].harm if signal.metric in metrics else 0
        return harm >= MOST_HARM, 2**harm * clearness(signal)

    leading = max(failures, key=weight)
    if incident.diagnosis is None:
        return title_of(leading, metrics)
    return title_of(leading, metrics, incident.diagnosis.cohort, len(incident.diagnosis.attackers))


def clearness(signal: Signal) -> float:
    """How clear the signal is: nats of evidence for each call since its onset; one event of a hard rule is clear.

    All alarms are raised at about their threshold: what they have beyond it is chance, how few calls it took them is not.
    """
    return math.inf if signal.detector == "hard" else signal.log_evidence / max(signal.calls, 1)


def change_in_words(signal: Signal) -> str:
    """How much, as people say it. The name of a failure mode rises also where its metric falls."""
    low, high = sorted((signal.baseline, signal.observed))
    rising = signal.observed >= signal.baseline
    if low <= 0.02 * high:
        return "appeared" if rising else "vanished"
    ratio = high / low
    if not rising:
        return "fell" if ratio < 1.75 else f"fell to {1 / ratio:.0%} of normal"
    for at_least, under, word in TIMES:
        if at_least <= ratio < under:
            return word
    return "rose" if ratio < TIMES[0][0] else f"rose {ratio:.0f}-fold"


def number(value: float, unit: Unit) -> str:
    """A value with its unit, short."""
    match unit:
        case Unit.PROBABILITY:
            return f"{100 * value:.1f} %" if value < 0.0995 else f"{100 * value:.0f} %"
        case Unit.MILLISECONDS:
            return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms"
        case Unit.SECONDS:
            return f"{value / 86_400:.1f} days" if value >= 86_400 else f"{value:.0f} s"
        case Unit.USD:
            return f"${value:.4f}"
        case Unit.TOKENS:
            return f"{value:.0f} tokens"
        case _:
            return f"{value:.3g}"
