import msgspec
import pytest

from holdfast.control.documents import block_document, block_id_of, ended_document, event_document, lease_document
from holdfast.control.effects import Block
from holdfast.control.events import (
    AutomationStopped,
    BlockLifted,
    ControlEvent,
    DesiredChanged,
    EndedLease,
    HowEnded,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
)
from holdfast.testing.control import example_desired
from tests.control.examples import LATER, NOW, lease

ENDED = EndedLease(lease=lease(), how=HowEnded.REVOKED, ended_ns=NOW, actor="user:grace", reason="over")


def test_a_lease_has_its_times_as_text_and_what_it_has_left() -> None:
    told = lease_document(lease(), NOW + 15_000_000_000)
    assert (told["granted"], told["expires"], told["left_s"]) == ("1970-01-01T00:16:40.000Z", "1970-01-01T00:17:40.000Z", 45.0)
    assert told["effect"] == {"kind": "disable_tool", "tool": "refund"}
    assert "granted_ns" not in told
    assert lease_document(lease(), LATER + 1)["left_s"] == 0


def test_an_ended_lease_says_how_by_whom_and_why() -> None:
    told = ended_document(ENDED)
    assert (told["how"], told["ended_by"], told["ended_because"], told["left_s"]) == ("revoked", "user:grace", "over", 0)


def test_a_block_says_whether_it_holds() -> None:
    blocking = lease(Block(block_id="blk_1"), scope={"user": "u1"})
    assert block_document("blk_1", blocking, None, NOW)["live"] is True
    assert block_document("blk_1", blocking, None, LATER)["live"] is False
    lifted = block_document("blk_1", blocking, msgspec.structs.replace(ENDED, lease=blocking), NOW)
    assert (lifted["live"], lifted["ended_because"]) == (False, "over")
    assert block_id_of(blocking) == "blk_1"
    assert block_id_of(lease()) == ""


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            DesiredChanged(desired=example_desired(), changes=("a added", "b removed"), reason="why"),
            ("a added; b removed", "why", None, None),
        ),
        (LeaseRenewed(lease_id="lse_1", before_ns=0, expires_ns=10**9, reason="why"), None),
        (LeaseRevoked(lease_id="lse_1", reason="why"), ("lse_1", "why", None, None)),
        (LeaseExpired(lease_id="lse_1"), ("lse_1", "", None, None)),
        (AutomationStopped(reason="why"), ("", "why", None, None)),
        (BlockLifted(block_id="blk_1", reason="why"), ("blk_1", "why", None, None)),
    ],
    ids=["desired", "renewed", "revoked", "expired", "stopped", "lifted"],
)
def test_an_event_is_a_line_with_reason_before_and_after(event: ControlEvent, expected: tuple[object, ...] | None) -> None:
    told = event_document(event)
    if expected is None:
        expected = ("lse_1", "why", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:01.000Z")
    assert (told["text"], told["reason"], told["before"], told["after"]) == expected
    assert told["event"] == type(event).__name__


def test_a_grant_says_what_stood_there_before() -> None:
    told = event_document(LeaseGranted(lease=lease()))
    assert (told["before"], told["after"], told["reason"]) == ("refund may be called", "lse_1", "it refunds everybody")
