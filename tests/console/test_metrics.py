"""Metrics over time."""

from collections.abc import Callable

import pytest

from holdfast.access.roles import Role
from tests.console.conftest import Visitor


def test_without_a_choice_the_metrics_of_the_first_application_are_drawn(viewer: Visitor) -> None:
    text = viewer.get("/charts").text
    assert text.count('<svg class="chart"') >= 3
    assert "nothing to compare with before" in text


def test_one_metric_is_drawn_and_broken_down(viewer: Visitor) -> None:
    text = viewer.get("/charts?service=shop&metric=refusal&dimension=service.name").text
    assert text.count('<svg class="chart"') == 1
    assert "refusal by service.name" in text


def test_a_segment_without_scores_says_so(viewer: Visitor) -> None:
    assert "No scores in this period." in viewer.get("/charts?service=shop&metric=refusal&dimension=route&value=/x").text


@pytest.mark.parametrize("query", ["service=nope&metric=refusal", "service=shop&period=forever&dimension=colour"])
def test_what_is_unknown_breaks_nothing(viewer: Visitor, query: str) -> None:
    assert viewer.get(f"/charts?{query}").status_code == 200


def test_a_metric_that_is_none_is_not_found(viewer: Visitor) -> None:
    assert viewer.get("/charts?service=shop&metric=luck").status_code == 404


def test_who_may_not_see_the_application_is_not_told_that_it_exists(sign_in: Callable[..., Visitor]) -> None:
    stranger = sign_in(Role.VIEWER, "bank")
    assert stranger.get("/charts?service=shop").status_code == 404
    assert "shop" not in stranger.get("/charts").text
