from typing import Any

import msgspec
import pytest

from holdfast.control import events
from holdfast.control.effects import UseModel
from holdfast.control.events import (
    MAX_ENDED,
    MAX_LIFTED,
    START,
    AutomationResumed,
    AutomationStopped,
    BlockLifted,
    ControlEvent,
    DesiredChanged,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    event_in,
    fold,
    recorded,
)
from holdfast.core.errors import IntegrityError, TransitionError
from holdfast.core.stream import StreamEntry, StreamEvent
from holdfast.testing.control import example_desired
from holdfast.testing.streams import MemoryStream
from tests.control.examples import LATER, NOW, lease


def entries(*said: ControlEvent, actor: str = "user:ada") -> list[StreamEntry]:
    return [
        StreamEntry(seq=at, version=at, event=recorded(event, actor, NOW + at), prev_hash="", hash="")
        for at, event in enumerate(said, 1)
    ]


CONFIGURED = DesiredChanged(desired=example_desired(), changes=("route support added",), reason="start")
GRANTED = LeaseGranted(lease=lease())

EVERY: list[ControlEvent] = [
    CONFIGURED,
    GRANTED,
    LeaseRenewed(lease_id="lse_1", before_ns=LATER, expires_ns=LATER + 1, reason="longer"),
    LeaseRevoked(lease_id="lse_1", reason="it is over"),
    LeaseExpired(lease_id="lse_1"),
    AutomationStopped(reason="it errs"),
    AutomationResumed(reason="mended"),
    BlockLifted(block_id="blk_0123456789ab", reason="a mistake"),
]


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_from_the_stream(event: ControlEvent) -> None:
    (entry,) = entries(event)
    assert event_in(entry) == event
    assert entry.event.type == type(event).__name__


def test_nothing_has_happened_at_the_start() -> None:
    assert fold([]) == START
    assert START.snapshot.version == 0


def test_the_version_is_the_streams_and_the_time_that_of_the_last_event() -> None:
    state = fold(entries(CONFIGURED, GRANTED))
    assert (state.snapshot.version, state.snapshot.created_ns) == (2, NOW + 2)
    assert state.snapshot.desired == example_desired()
    assert state.lease("lse_1") == lease()


def test_a_fold_may_go_on_where_another_ended() -> None:
    story = entries(CONFIGURED, GRANTED, AutomationStopped(reason="r"))
    for at in range(4):
        assert fold(story[at:], fold(story[:at])) == fold(story)


def test_a_renewed_lease_keeps_its_place_and_everything_but_its_end() -> None:
    state = fold(entries(GRANTED, LeaseGranted(lease=lease(number=2)), EVERY[2]))
    assert [one.id for one in state.snapshot.leases] == ["lse_1", "lse_2"]
    assert state.lease("lse_1") == lease(expires_ns=LATER + 1)


@pytest.mark.parametrize("ending", [EVERY[3], EVERY[4]], ids=["revoked", "expired"])
def test_a_lease_that_ended_is_told_of_with_who_and_why(ending: ControlEvent) -> None:
    state = fold(entries(GRANTED, ending))
    assert state.snapshot.leases == ()
    (ended,) = state.ended
    assert (ended.lease, ended.actor, ended.ended_ns) == (lease(), "user:ada", NOW + 2)
    assert ended.reason


def test_the_red_button_is_a_state() -> None:
    assert not fold(entries(EVERY[5])).snapshot.automation
    assert fold(entries(EVERY[5], EVERY[6])).snapshot.automation


def test_what_has_ended_is_told_of_up_to_a_bound() -> None:
    story: list[ControlEvent] = []
    for n in range(MAX_ENDED + 5):
        story += [LeaseGranted(lease=lease(number=n)), LeaseExpired(lease_id=f"lse_{n}")]
    state = fold(entries(*story))
    assert len(state.ended) == MAX_ENDED
    assert state.ended[-1].lease.id == f"lse_{MAX_ENDED + 4}"


@pytest.mark.parametrize(
    "story",
    [(EVERY[2],), (EVERY[3],), (EVERY[4],), (GRANTED, GRANTED), (GRANTED, EVERY[3], EVERY[4])],
    ids=["renew-unknown", "revoke-unknown", "expire-unknown", "grant-twice", "end-twice"],
)
def test_events_that_do_not_fit_what_was_there_do_not_fold(story: tuple[ControlEvent, ...]) -> None:
    with pytest.raises(TransitionError, match="lse_1"):
        fold(entries(*story))


def test_a_missing_event_is_an_integrity_error() -> None:
    story = entries(CONFIGURED, GRANTED, EVERY[5])
    for at in range(2):
        with pytest.raises(IntegrityError, match="does not follow"):
            fold(story[:at] + story[at + 1 :])


@pytest.mark.parametrize(
    "body", ["", "{}", "null", '{"type":"Nonsense"}', '{"type":"LeaseRevoked"}', "[" * 50_000], ids=lambda body: body[:12]
)
def test_a_body_that_is_no_event_is_an_integrity_error(body: str) -> None:
    event = StreamEvent(time_ns=1, actor="a", type="LeaseRevoked", body=body)
    with pytest.raises(IntegrityError, match="control event 1"):
        event_in(StreamEntry(seq=1, version=1, event=event, prev_hash="", hash=""))


def test_an_effect_of_a_newer_version_does_not_fold_as_something_else() -> None:
    (entry,) = entries(LeaseGranted(lease=lease(UseModel(target="small"))))
    body = entry.event.body.replace("use_model", "use_moon_phase")
    newer = msgspec.structs.replace(entry, event=msgspec.structs.replace(entry.event, body=body))
    with pytest.raises(IntegrityError, match="use_moon_phase"):
        fold([newer])


def test_an_event_that_nobody_knows_is_an_error_and_not_ignored() -> None:
    unknown: Any = object()
    with pytest.raises(TypeError, match="unknown event"):
        events._applied(unknown, START, entries(EVERY[5])[0].event)


def test_a_stream_that_does_not_fold_says_why() -> None:
    stream = MemoryStream()
    stream.append([recorded(GRANTED, "user:ada", NOW)])
    assert events.folds(stream) == ""
    stream.append([recorded(GRANTED, "user:ada", NOW)])
    assert "granted before" in events.folds(stream)
    assert events.folds(MemoryStream()) == ""


def test_of_lifted_blocks_the_latest_travel_with_the_snapshot() -> None:
    lifts = [BlockLifted(block_id=f"blk_{n:012x}", reason="r") for n in range(MAX_LIFTED + 5)]
    found = fold(entries(*lifts)).snapshot.lifted
    assert found == tuple(lift.block_id for lift in lifts[5:])
