"""The drills page: run, scorecard, reliability."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from fastapi import FastAPI

from holdfast.access.roles import Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.drill_runs import DrillRuns
from holdfast.console.drills import percent
from holdfast.console.router import router
from holdfast.drills.statistics import Figure
from tests.api.runs import runs
from tests.console.conftest import Visitor


@pytest.fixture
def drills(tmp_path: Path, context: ApiContext) -> Iterator[DrillRuns]:
    found = runs(tmp_path, context.clock)
    yield found
    found.close()


@pytest.fixture
def app(context: ApiContext, drills: DrillRuns) -> FastAPI:
    return create_app(msgspec.structs.replace(context, drills=drills), router)


@pytest.fixture
def approver(sign_in: Callable[..., Visitor]) -> Visitor:
    return sign_in(Role.APPROVER)


def test_before_the_first_run_it_says_what_to_do(viewer: Visitor) -> None:
    text = viewer.get("/drills").text
    assert "No drill was run yet." in text
    assert 'data-region="result"' in text
    assert 'action="/drills"' not in text


def test_a_run_comes_back_as_a_scorecard_with_a_reliability_plot(approver: Visitor, drills: DrillRuns) -> None:
    place = approver.submit("/drills", "/drills", names="wrong_embedder", seed="3").headers["location"]
    assert place.startswith("/drills?run=run_")
    assert drills.wait(30)
    text = approver.get(place).text
    for told in ("95 %", 'class="chart square"', "missed", "Latency rose &lt;b&gt;", "budget 0.2 a day", "sure, "):
        assert told in text
    assert approver.get("/drills").text.count("<svg") == text.count("<svg")
    # Only regions are put in place when a page that waits for a run is refreshed.
    assert text.index('data-region="result"') < text.index("Scorecard of run_")


def test_a_run_that_failed_says_why_in_text(sign_in: Callable[..., Visitor], context: ApiContext, tmp_path: Path) -> None:
    drills = runs(tmp_path / "x", context.clock, "raise SystemExit('<script>alert(1)</script>')")
    app = create_app(msgspec.structs.replace(context, drills=drills), router)
    visitor = sign_in(Role.APPROVER)
    visitor = Visitor(app, base_url="http://localhost", cookies=visitor.cookies)
    place = visitor.submit("/drills", "/drills", names="all").headers["location"]
    assert drills.wait(30)
    text = visitor.get(place).text
    assert "failed." in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize(
    "fields", [{"names": "nothing"}, {"names": ""}, {"names": "all", "seed": "x"}, {"names": "all", "calls": "7"}], ids=range(4)
)
def test_what_makes_no_sense_is_refused(approver: Visitor, fields: dict[str, str]) -> None:
    assert approver.submit("/drills", "/drills", **fields).status_code == 422


def test_responders_look_and_run_nothing(responder: Visitor) -> None:
    assert responder.get("/drills").status_code == 200
    assert responder.submit("/", "/drills", names="healthy").status_code == 403


def test_a_run_that_is_not_kept_is_not_found(viewer: Visitor) -> None:
    assert viewer.get("/drills?run=run_none").status_code == 404


@pytest.mark.parametrize(
    ("figure", "told"),
    [(Figure(None, None, None, 0), "–"), (Figure(0.5, None, None, 2), "50 %"), (Figure(0.92, 0.85, 0.97, 50), "92 % (85–97)")],
    ids=["none", "without interval", "whole"],
)
def test_a_share_is_told_with_its_interval(figure: Figure, told: str) -> None:
    assert percent(figure) == told
