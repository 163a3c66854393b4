"""The list of incidents."""

import pytest

from holdfast.api.context import ApiContext
from holdfast.core.incident import State
from tests.console.conftest import Visitor


def test_the_list_leads_to_each_incident(viewer: Visitor) -> None:
    assert 'href="/incidents/inc_1"' in viewer.get("/incidents").text


@pytest.mark.parametrize("query", ["state=closed", "text=nothing+like+it", "severity=sev1", "service=other"])
def test_a_filter_that_finds_nothing_says_what_to_do(viewer: Visitor, query: str) -> None:
    text = viewer.get(f"/incidents?{query}").text
    assert "No incident is like that." in text
    assert "inc_1" not in text


@pytest.mark.parametrize("query", ["state=broken", "severity=9", "order=random", "cursor=nonsense"])
def test_a_filter_that_is_none_is_an_error_page(viewer: Visitor, query: str) -> None:
    answer = viewer.get(f"/incidents?{query}")
    assert answer.status_code == 422
    assert "To the overview" in answer.text


def test_several_are_acknowledged_at_once_and_doing_it_again_is_no_error(responder: Visitor, context: ApiContext) -> None:
    for _ in range(2):
        answer = responder.submit("/incidents", "/incidents/bulk", pick="inc_1", verb="acknowledge", next="/incidents")
        assert answer.headers["location"] == "/incidents"
    assert context.ledger.incident("inc_1").timestamps["acknowledged"].actor == "user:responder-all"


def test_declining_several_needs_a_reason(responder: Visitor, context: ApiContext) -> None:
    assert responder.submit("/incidents", "/incidents/bulk", pick="inc_1", verb="decline", reason=" ").status_code == 422
    assert responder.submit("/incidents", "/incidents/bulk", pick="inc_1", verb="decline", reason="a test").status_code == 303
    assert context.ledger.incident("inc_1").state is State.DECLINED


@pytest.mark.parametrize("verb", ["", "delete"])
def test_nothing_else_can_be_done_to_several(responder: Visitor, verb: str) -> None:
    assert responder.submit("/incidents", "/incidents/bulk", pick="inc_1", verb=verb).status_code == 422


def test_a_viewer_has_no_boxes_and_may_do_nothing(viewer: Visitor) -> None:
    assert 'name="pick"' not in viewer.get("/incidents").text
    assert viewer.submit("/", "/incidents/bulk", pick="inc_1", verb="acknowledge").status_code == 403
