"""What somebody did to the applications."""

from holdfast.api.context import ApiContext
from holdfast.core.change import Change, ChangeKind
from tests.console.conftest import Visitor
from tests.report.conftest import MINUTE, START


def test_changes_are_listed_and_hostile_ones_are_text(viewer: Visitor, context: ApiContext) -> None:
    assert "Nothing was changed in the last seven days." in viewer.get("/changes").text
    context.telemetry.append_changes(
        [
            Change(
                id="deploy-7",
                time_ns=START + MINUTE,
                kind=ChangeKind.PROMPT,
                service="shop",
                target="greeting",
                to_value="<b>v2</b>",
            ),
            Change(id="other-1", time_ns=START + MINUTE, kind=ChangeKind.CODE, service="bank", target="vault"),
        ]
    )
    text = viewer.get("/changes").text
    assert 'id="deploy-7"' in text
    assert "&lt;b&gt;v2" in text
    assert "everything" in text
