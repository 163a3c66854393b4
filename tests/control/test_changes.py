from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from holdfast.act.registry import ACTIONS
from holdfast.control.changes import _ACTION_KINDS, _PART_KINDS, AGAIN, Announcer, changes_of
from holdfast.control.effects import UseModel
from holdfast.control.events import (
    AutomationStopped,
    ControlEvent,
    ControlState,
    DesiredChanged,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    recorded,
)
from holdfast.control.prompts import rolled_back
from holdfast.control.snapshot import Desired, GuardMode
from holdfast.control.store import ControlStore
from holdfast.core.change import CONTROL, Change, ChangeKind
from holdfast.core.errors import StoreError
from holdfast.core.stream import StreamEntry
from holdfast.testing.control import example_desired
from holdfast.testing.streams import MemoryStream
from tests.control.examples import NOW, draft, lease, snapshot

GOOD = example_desired()
replace = msgspec.structs.replace


def made(event: ControlEvent, *leases: Any) -> list[Change]:
    entry = StreamEntry(seq=9, version=7, event=recorded(event, "user:ada", NOW), prev_hash="", hash="")
    return changes_of(ControlState(snapshot=snapshot(*leases)), event, entry)


def configured(desired: Desired) -> list[Change]:
    return made(DesiredChanged(desired=desired, changes=(), reason="r"))


def test_a_rolled_back_prompt_is_a_prompt_change_with_both_versions() -> None:
    (change,) = configured(rolled_back(GOOD, "support"))
    assert (change.kind, change.target, change.from_value, change.to_value) == (ChangeKind.PROMPT, "prompt/support", "v2", "v1")
    assert (change.source, change.subject, change.time_ns) == (CONTROL, "user:ada", NOW)


def test_each_thing_that_changed_is_a_change_of_its_own() -> None:
    desired = replace(
        GOOD,
        guards=(GOOD.guards[0], replace(GOOD.guards[1], mode=GuardMode.OFF)),
        routes=(replace(GOOD.routes[0], models=("a",)), GOOD.routes[1]),
        flags=(),
    )
    found = {change.target: change for change in configured(desired)}
    assert {target: change.kind for target, change in found.items()} == {
        "guards/pii": ChangeKind.GUARDRAIL,
        "routes/support": ChangeKind.MODEL,
        "flags/new-ranking": ChangeKind.FLAG,
    }
    assert found["guards/pii"].to_value == 'guard pii: mode: "enforce" → "off"'
    assert found["routes/support"].scope == {"route": "support"}
    assert len({change.id for change in found.values()}) == 3


def test_the_same_configuration_is_no_change() -> None:
    assert configured(GOOD) == []


def test_a_containment_begins_and_ends_as_a_change_of_its_scope() -> None:
    granted = lease(UseModel(target="small"), action="downgrade_model", scope={"service.name": "shop", "route": "support"})
    (begin,) = made(LeaseGranted(lease=granted))
    assert (begin.kind, begin.target, begin.to_value) == (ChangeKind.MODEL, "downgrade_model", "lse_1")
    assert (begin.service, begin.scope) == ("shop", {"route": "support"})
    for ending in (LeaseRevoked(lease_id="lse_1", reason="r"), LeaseExpired(lease_id="lse_1")):
        (end,) = made(ending, granted)
        assert (end.from_value, end.to_value, end.scope) == ("lse_1", "", {"route": "support"})


@pytest.mark.parametrize(
    "event",
    [
        AutomationStopped(reason="r"),
        LeaseRenewed(lease_id="lse_1", before_ns=1, expires_ns=2, reason="r"),
        LeaseExpired(lease_id="lse_9"),
    ],
    ids=["red-button", "renewed", "unknown"],
)
def test_what_changes_nothing_for_a_request_is_no_change(event: ControlEvent) -> None:
    assert made(event, lease()) == []


def test_the_same_entry_gives_the_same_changes() -> None:
    assert configured(Desired()) == configured(Desired())


def test_every_action_and_every_part_has_a_kind() -> None:
    assert set(_ACTION_KINDS) <= set(ACTIONS)
    switches = set(ACTIONS) - set(_ACTION_KINDS)
    assert switches == {"revert_template", "throttle_user", "block_user", "kill_route"}
    lists = {name for name in Desired.__struct_fields__ if isinstance(getattr(Desired(), name), tuple)}
    assert lists == {*_PART_KINDS, "prompts"}


def test_changes_are_told_as_they_happen_and_once(store: ControlStore, stream: MemoryStream) -> None:
    told: list[Change] = []
    announcer = Announcer(stream, told.extend)
    announcer.catch_up()
    before = len(told)
    assert before == len(GOOD.targets + GOOD.routes + GOOD.guards + GOOD.breakers) + 4
    store.grant(lambda state: draft(), "user:ada")
    announcer.catch_up()
    announcer.catch_up()
    assert [change.target for change in told[before:]] == ["disable_tool"]


def test_what_could_not_be_told_is_told_the_next_time(store: ControlStore, stream: MemoryStream) -> None:
    told: list[Change] = []
    failing = True

    def tell(changes: Sequence[Change]) -> None:
        if failing:
            raise StoreError("away")
        told.extend(changes)

    announcer = Announcer(stream, tell)
    with pytest.raises(StoreError):
        announcer.catch_up()
    failing = False
    announcer.catch_up()
    assert told


def test_after_a_restart_only_the_last_events_are_told_again_and_the_same(store: ControlStore, stream: MemoryStream) -> None:
    first: list[Change] = []
    announcer = Announcer(stream, first.extend)
    for _ in range(AGAIN):
        lease_id = store.grant(lambda state: draft(), "user:ada").id
        store.revoke(lease_id, "user:ada", "over")
    announcer.catch_up()
    again: list[Change] = []
    Announcer(stream, again.extend).catch_up()
    assert again == first[-AGAIN:]
