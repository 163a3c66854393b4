"""Findings in words: statements with numbers and calls, causes with suspects, and what could be done, safest first."""

from collections.abc import Sequence

import msgspec
import numpy as np

from holdfast.core.clock import to_iso
from holdfast.core.diagnosis import Cause, Diagnosis, Layer, LayerProbability, Statement
from holdfast.core.signal import Exemplar
from holdfast.diagnose.attackers import Campaign, in_words
from holdfast.diagnose.catalogue.registry import BY_NAME
from holdfast.diagnose.changes import Suspect
from holdfast.diagnose.evidence.composite import Reading
from holdfast.diagnose.findings import Findings
from holdfast.diagnose.frame import Bools, Column
from holdfast.diagnose.moves import Step

MOST_CAUSES = 5
MOST_ACTIONS = 5
EXEMPLARS = 3

CLEAR_ONSET = 3.0
"""Nats from which the onset inside the cohort is better than the detectors' estimate."""


def diagnosis(found: Findings, now_ns: int) -> Diagnosis:
    """The value that the ledger keeps."""
    layers = sorted(
        (LayerProbability(layer, found.posterior.of_layer(layer)) for layer in Layer), key=lambda p: (-p.probability, p.layer)
    )
    chosen = causes(found)
    seen, everybody = int((found.frame.after & found.inside).sum()), int(found.frame.after.sum())
    return Diagnosis(
        time_ns=now_ns,
        layers=tuple(layers),
        causes=tuple(chosen),
        cohort=found.cohort.conditions,
        cohort_confidence=found.cohort.confidence,
        onset_ns=found.onset.time_ns if found.onset.evidence >= CLEAR_ONSET else 0,
        evidence=tuple(statements(found)),
        actions=tuple(actions(found, chosen)),
        cohort_share=seen / max(everybody, 1),
        calls_seen=seen,
        attackers=found.campaign.attackers if found.campaign else (),
    )


def bounded(told: Diagnosis, low: float) -> Diagnosis:
    """The diagnosis with the lower bound of its confidence, also in words. Nothing may rely on `unknown`: its bound is 0."""
    if not low or told.layers[0].layer is Layer.UNKNOWN:
        return told
    text = f"right at least {low:.0%} of the time, by held-out diagnoses that were as sure"
    return msgspec.structs.replace(told, confidence_low=low, evidence=(*told.evidence, Statement(group="calibration", text=text)))


def causes(found: Findings) -> list[Cause]:
    """The five most probable hypotheses, each with who it is about and which change brought it.

    Where some layer is more probable than that nothing failed, faults come first: nothing is one hypothesis, a fault one of many.
    """
    posterior = found.posterior
    order = np.argsort(-posterior.probability, kind="stable")
    named = [i for i in order.tolist() if posterior.names[i] in BY_NAME]
    if max(Layer, key=posterior.of_layer) is not Layer.BENIGN:
        named.sort(key=lambda i: posterior.layers[i] is Layer.BENIGN)
    named = named[:MOST_CAUSES]
    return [_cause(found, i) for i in named]


def _cause(found: Findings, index: int) -> Cause:
    posterior = found.posterior
    hypothesis = BY_NAME[posterior.names[index]]
    suspect = found.guilty(index)
    about = dict(found.cohort.conditions)
    if suspect is not None and suspect.condition is not None and not about:
        about = dict([suspect.condition])
    why = hypothesis.means
    if suspect is not None:
        why += f"; it began {_delay(found, suspect)} {_change_words(suspect)}"
    return Cause(
        fault=hypothesis.fault,
        layer=hypothesis.layer,
        probability=float(posterior.probability[index]),
        suspect=about,
        change_id=suspect.id if suspect else "",
        why=why,
    )


def _delay(found: Findings, suspect: Suspect) -> str:
    minutes = (found.onset.time_ns - suspect.time_ns) / 6e10
    return f"{minutes:.0f} min after" if minutes >= 1 else "with"


def _change_words(suspect: Suspect) -> str:
    if suspect.change is None:
        value = "=".join(suspect.condition) if suspect.condition else suspect.kind.value
        return f"the first calls with {value}, a change that nobody told of"
    change = suspect.change
    what = change.target or change.subject or change.id
    versions = f" ({change.from_value} → {change.to_value})" if change.to_value else ""
    return f"the {change.kind.value} change of {what}{versions}"


def statements(found: Findings) -> list[Statement]:
    """Evidence, the most telling first."""
    best = int(found.posterior.probability.argmax())
    told = [_cohort_statement(found, best), *_change_statements(found, best)]
    for group, readings in found.readings.items():
        moved = [r for r in readings if r.step is not Step.FLAT]
        moved.sort(key=lambda r: -abs(r.step - Step.FLAT))
        ratio = float(found.posterior.ratios[group][best])
        if moved:
            text = "; ".join(r.text for r in moved[:4])
            told.append(Statement(group=group, text=text, log_ratio=ratio, exemplars=tuple(_exemplars(found, moved[0]))))
        elif ratio > 0.3:
            names = ", ".join(r.metric or r.name for r in readings)
            told.append(Statement(group=group, text=f"Nothing moved in {names}", log_ratio=ratio))
    return sorted(told, key=lambda s: -s.log_ratio)


def _cohort_statement(found: Findings, best: int) -> Statement:
    ratio = found.posterior.ratios.get("cohort")
    log_ratio = float(ratio[best]) if ratio is not None else 0.0
    since = f"since {to_iso(found.onset.time_ns)}"
    if not found.watched:
        return Statement(group="cohort", text="No scores of the failing metrics to look for a cohort in", log_ratio=log_ratio)
    if found.campaign is not None:
        worst = tuple(_largest(found, found.watched[0].column, not found.watched[0].is_fall))
        return Statement(group="cohort", text=_campaign_words(found.campaign, since), log_ratio=log_ratio, exemplars=worst)
    if not found.cohort.conditions:
        return Statement(
            group="cohort", text=f"No dimension explains it: all calls {since} are affected alike", log_ratio=log_ratio
        )
    watched = found.watched[0]
    column = watched.column
    late = found.frame.after[column.call]
    inside = found.inside[column.call]
    told = " and ".join(f"{d}={v}" for d, v in found.cohort.conditions.items())
    rates = bool(column.value.max(initial=0.0) <= 1.0)

    def mean(rows: Bools) -> str:
        average = float(column.value[rows].mean())
        return f"{average:.1%} over {int(rows.sum())} calls" if rates else f"{average:.4g} over {int(rows.sum())} calls"

    parts = [(late & inside, "there"), (late & ~inside, "elsewhere"), (~late & inside, "there before")]
    seen = ", ".join(f"{where} {mean(rows)}" for rows, where in parts if rows.any())
    text = f"{told} {since}: mean {column.metric} {seen}; {found.cohort.confidence:.0%} of resamples name the same calls"
    shown = _largest(found, column, not watched.is_fall)
    return Statement(group="cohort", text=text, log_ratio=log_ratio, exemplars=tuple(shown))


def _campaign_words(found: Campaign, since: str) -> str:
    attackers = found.attackers
    new = sum(one.new for one in attackers)
    attacks, requests = sum(one.attacks for one in attackers), sum(one.requests for one in attackers)
    return f"{in_words(attackers)}: {attacks} of their {requests} requests {since} are attacks; {new} of {len(attackers)} are new"


def _change_statements(found: Findings, best: int) -> list[Statement]:
    suspect = found.guilty(best)
    ratio = float(found.posterior.ratios["change"][best])
    if suspect is None:
        count = sum(s.change is not None for s in found.suspects)
        text = (
            "No change in the day before" if not count else f"None of {count} changes in the day before fits in time and cohort"
        )
        return [Statement(group="change", text=text, log_ratio=ratio)]
    text = f"It began {_delay(found, suspect)} {_change_words(suspect)}: {suspect.why}"
    return [Statement(group="change", text=text, log_ratio=ratio)]


def _exemplars(found: Findings, reading: Reading) -> list[Exemplar]:
    column = found.frame.columns.get(reading.metric)
    return [] if column is None else _largest(found, column, reading.step > Step.FLAT)


def _largest(found: Findings, column: Column, high: bool) -> list[Exemplar]:
    """Calls of the cohort since onset with the highest values of a metric, or with the lowest."""
    rows = np.flatnonzero(found.frame.after[column.call] & found.inside[column.call])
    order = np.argsort(-column.value[rows] if high else column.value[rows], kind="stable")[:EXEMPLARS]
    keys = [found.frame.key(int(column.call[i])) for i in rows[order]]
    values = column.value[rows[order]]
    return [Exemplar(t, s, f"{column.metric} = {v:.3g}") for (t, s), v in zip(keys, values, strict=True)]


def actions(found: Findings, chosen: Sequence[Cause]) -> list[str]:
    """Suggestions in words, safest first: take the matched change back, then what the probable causes call for."""
    told: list[str] = []
    for cause in chosen:
        if cause.probability < 0.1 and told:
            continue
        who = " and ".join(f"{d}={v}" for d, v in cause.suspect.items()) or f"all of {found.incident.service}"
        attackers = in_words(found.campaign.attackers) if found.campaign else f"the abusing users of {who}"
        if cause.change_id:
            told.append(f"roll back change {cause.change_id} ({who})")
        told.append(BY_NAME[cause.fault].action.replace("{suspect}", who).replace("{attackers}", attackers))
    return list(dict.fromkeys(told))[:MOST_ACTIONS]
