"""Drills: run some, see what was found, and whether probabilities hold."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.roles import Role
from holdfast.api.context import Context
from holdfast.api.drill_runs import NAMES, DrillOrder, DrillRun
from holdfast.api.drills import started, there
from holdfast.console.charts import reliability_plot
from holdfast.console.forms import Form, SignedForm
from holdfast.console.page import PageRoute, Viewer, back, drawing, render
from holdfast.console.shown import number
from holdfast.core.errors import InputError, NotFoundError
from holdfast.drills.scorecard import Cell, Quiet, Scorecard
from holdfast.drills.statistics import Figure

router = APIRouter(route_class=PageRoute)

TROUBLE = 30


@router.get("/drills")
def show_drills(request: Request, context: Context, who: Viewer, run: str = "") -> Response:
    """The runs, and the scorecard of one: by default the last that is done."""
    runs = there(context).runs()
    chosen = _chosen(runs, run)
    return render(
        request,
        who,
        "drills.html",
        runs=runs,
        chosen=chosen,
        card=_card(chosen.scorecard) if chosen and chosen.scorecard else None,
        names=NAMES,
        may_run=who.may(Role.APPROVER),
        running=any(r.state == "running" for r in runs),
    )


@router.post("/drills")
def run_drills(context: Context, who: Viewer, form: SignedForm) -> Response:
    """Begins a run."""
    who.must(Role.APPROVER)
    names = tuple(dict.fromkeys(name for name in form.all("names") if name))
    run = started(context, who, DrillOrder(names=names, seed=_count(form, "seed", 1), calls=_count(form, "calls", 0)))
    return back(f"/drills?run={run.id}")


def _count(form: Form, name: str, otherwise: int) -> int:
    text = form.get(name)
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError(f"{text!r} is no number", name)
    return int(text) if text else otherwise


def _chosen(runs: list[DrillRun], run_id: str) -> DrillRun | None:
    if run_id:
        found = next((run for run in runs if run.id == run_id), None)
        if found is None:
            raise NotFoundError(f"no run {run_id!r}: only the last ones are kept")
        return found
    return next((run for run in runs if run.scorecard), None)


def _card(card: Scorecard) -> dict[str, Any]:
    outcomes = card.outcomes
    return {
        "cells": [_cell(cell) for cell in (*card.parts, *card.layers) if cell.drills],
        "faults": [_cell(cell) for cell in card.faults],
        "quiet": [_quiet(quiet) for quiet in card.quiet],
        "plot": drawing(reliability_plot(card.reliability)) if card.reliability else "",
        "diagnoses": sum(bin_.count for bin_ in card.reliability),
        "budget": card.budget_per_day,
        "missed": [o for o in outcomes if o.fault and not o.detected][:TROUBLE],
        "alarms": [(o, alarm) for o in outcomes for alarm in o.false_alarms][:TROUBLE],
    }


def _cell(cell: Cell) -> dict[str, str]:
    return {
        "name": cell.name.replace("_", " "),
        "drills": str(cell.drills),
        "detected": percent(cell.detected),
        "minutes": number(cell.minutes.value),
        "calls": number(cell.calls.value),
        "layer": percent(cell.layer_first),
        "fault": percent(cell.fault_first),
        "cohort": number(cell.jaccard.value, 2),
        "change": percent(cell.change),
        "sure": percent(cell.sure_right),
        "conventional": percent(cell.conventional),
    }


def _quiet(quiet: Quiet) -> dict[str, str]:
    figure = quiet.false_per_day
    between = "–" if figure.low is None or figure.high is None else f"{figure.low:.2f} to {figure.high:.2f}"
    return {
        "name": quiet.name,
        "drills": str(quiet.drills),
        "days": f"{quiet.days:.1f}",
        "false": "–" if figure.value is None else f"{figure.value:.2f}",
        "between": between,
    }


def percent(figure: Figure) -> str:
    """A share with its interval, such as ``92 % (85–97)``."""
    if figure.value is None:
        return "–"
    between = "" if figure.low is None or figure.high is None else f" ({100 * figure.low:.0f}–{100 * figure.high:.0f})"
    return f"{100 * figure.value:.0f} %{between}"
