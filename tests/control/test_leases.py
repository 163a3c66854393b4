from typing import Any

import msgspec
import pytest

from holdfast.control import leases
from holdfast.control.effects import Block, DisableTool
from holdfast.control.events import START, ControlState, EndedLease, HowEnded, LeaseRevoked
from holdfast.control.lease_rules import MAX_REASON, MAX_TTL_S
from holdfast.control.snapshot import Lease
from holdfast.core.errors import InputError, NotFoundError, TransitionError
from tests.control.examples import LATER, NOW, draft, lease, snapshot


def state(*live: Lease, automation: bool = True, ended: tuple[EndedLease, ...] = ()) -> ControlState:
    return ControlState(snapshot=msgspec.structs.replace(snapshot(*live), automation=automation), ended=ended)


def ended(of: Lease) -> EndedLease:
    return EndedLease(lease=of, how=HowEnded.REVOKED, ended_ns=NOW, actor="user:grace", reason="it is over")


def test_a_granted_lease_carries_all_that_was_asked_for() -> None:
    wanted = draft(share=0.5, automatic=True, traffic=0.1, users=7)
    granted = leases.granted(state(lease()), wanted, "user:ada", NOW).lease
    assert (granted.sequence, granted.granted_ns, granted.expires_ns) == (2, NOW, LATER)
    assert (granted.effect, granted.scope, granted.share) == (wanted.effect, wanted.scope, 0.5)
    assert (granted.automatic, granted.traffic, granted.users, granted.actor) == (True, 0.1, 7, "user:ada")
    assert granted.plan_hash == wanted.plan_hash


def test_two_leases_of_one_draft_have_ids_of_their_own() -> None:
    first, second = (leases.granted(START, draft(), "a", NOW).lease.id for _ in range(2))
    assert first != second


def test_a_key_makes_the_id_and_finds_the_lease_again_live_or_ended() -> None:
    granted = leases.granted(START, draft(key="inc_1/7"), "a", NOW).lease
    assert granted.id == leases.granted(START, draft(key="inc_1/7"), "b", NOW + 1).lease.id
    assert leases.known_by_key(state(granted), draft(key="inc_1/7")) == granted
    assert leases.known_by_key(state(ended=(ended(granted),)), draft(key="inc_1/7")) == granted
    assert leases.known_by_key(state(granted), draft(key="inc_1/8")) is None
    assert leases.known_by_key(state(granted), draft()) is None


def test_a_key_is_not_used_for_two_things() -> None:
    granted = leases.granted(START, draft(key="k"), "a", NOW).lease
    for other in (draft(key="k", scope={"route": "search"}), draft(key="k", action="block_user")):
        with pytest.raises(InputError, match="key: was used for disable_tool before"):
            leases.known_by_key(state(granted), other)


def test_automation_grants_nothing_while_the_red_button_is_pressed() -> None:
    with pytest.raises(TransitionError, match="red button"):
        leases.granted(state(automation=False), draft(automatic=True), "holdfast", NOW)
    assert leases.granted(state(automation=False), draft(), "user:ada", NOW).lease


@pytest.mark.parametrize("ttl_s", [0.0, -5.0, MAX_TTL_S * 2, float("nan"), float("inf")], ids=str)
def test_a_lease_has_an_end_within_bounds(ttl_s: float) -> None:
    with pytest.raises(InputError, match="ttl_s"):
        leases.granted(START, draft(ttl_s=ttl_s), "a", NOW)
    with pytest.raises(InputError, match="ttl_s"):
        leases.renewed(state(lease()), "lse_1", ttl_s, "longer", NOW)


# What an approval binds


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "x"},
        {"effect": DisableTool(tool="other")},
        {"scope": {"route": "search"}},
        {"share": 0.5},
        {"ttl_s": 61.0},
        {"owner": "inc_2"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_plan_hash_changes_with_whatever_would_be_done(changes: dict[str, Any]) -> None:
    assert draft(**changes).plan_hash != draft().plan_hash


def test_the_plan_hash_does_not_depend_on_words_order_or_chance() -> None:
    assert draft(reason="other words", before="x").plan_hash == draft().plan_hash
    one, other = ({"route": "a", "tenant": "b"}, {"tenant": "b", "route": "a"})
    assert draft(scope=one).plan_hash == draft(scope=other).plan_hash
    assert draft(Block(block_id="blk_1")).plan_hash == draft(Block(block_id="blk_2")).plan_hash


# Renewing, revoking, expiring


def test_a_renewal_counts_from_now_and_may_shorten() -> None:
    event = leases.renewed(state(lease()), "lse_1", 5, "shorter", NOW)
    assert (event.before_ns, event.expires_ns) == (LATER, NOW + 5_000_000_000)


@pytest.mark.parametrize("reason", ["", "  ", "x" * (MAX_REASON + 1)], ids=["none", "blank", "long"])
def test_every_change_has_a_reason(reason: str) -> None:
    there = state(lease())
    for change in (
        lambda: leases.renewed(there, "lse_1", 5, reason, NOW),
        lambda: leases.revoked(there, "lse_1", reason, NOW),
        lambda: leases.stopped(there, reason),
        lambda: leases.resumed(state(automation=False), reason),
    ):
        with pytest.raises(InputError, match="reason"):
            change()


def test_a_lease_that_is_over_cannot_be_renewed_or_revoked() -> None:
    for change in (
        lambda: leases.renewed(state(lease()), "lse_1", 5, "r", LATER),
        lambda: leases.revoked(state(lease()), "lse_1", "r", LATER),
    ):
        with pytest.raises(NotFoundError, match="has expired"):
            change()


def test_a_lease_that_was_revoked_is_not_found_with_who_and_why() -> None:
    with pytest.raises(NotFoundError, match="was revoked by user:grace: it is over"):
        leases.revoked(state(ended=(ended(lease()),)), "lse_1", "r", NOW)


def test_a_lease_that_never_was_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="no lease 'lse_9'"):
        leases.revoked(state(lease()), "lse_9", "r", NOW)


def test_exactly_the_leases_whose_time_is_over_expire() -> None:
    there = state(lease(), lease(number=2, expires_ns=LATER + 1))
    assert leases.expired(there, LATER - 1) == []
    assert [event.lease_id for event in leases.expired(there, LATER)] == ["lse_1"]
    assert len(leases.expired(there, LATER + 1)) == 2


# The red button


def test_the_red_button_stops_automation_and_ends_what_no_person_stood_behind() -> None:
    there = state(lease(), lease(number=2, automatic=True), lease(number=3, automatic=True))
    first, *others = leases.stopped(there, "it errs")
    assert type(first).__name__ == "AutomationStopped"
    assert [event.lease_id for event in others if isinstance(event, LeaseRevoked)] == ["lse_2", "lse_3"]


def test_a_long_reason_for_the_red_button_does_not_stop_it() -> None:
    events = leases.stopped(state(lease(automatic=True)), "x" * MAX_REASON)
    assert all(len(event.reason) <= MAX_REASON for event in events if isinstance(event, LeaseRevoked))


def test_the_red_button_is_pressed_once_and_released_once() -> None:
    with pytest.raises(TransitionError, match="stopped already"):
        leases.stopped(state(automation=False), "r")
    with pytest.raises(TransitionError, match="not stopped"):
        leases.resumed(state(), "r")


# Blocks


def test_support_finds_live_and_lifted_blocks_by_the_id_that_the_user_was_told() -> None:
    live = lease(Block(block_id="blk_1"), scope={"user": "u1"})
    over = lease(Block(block_id="blk_2"), 2, scope={"user": "u2"}, expires_ns=NOW)
    found = {block_id: (one.id, end) for block_id, one, end in leases.blocks(state(live, over, ended=(ended(over),)), NOW)}
    assert found == {"blk_1": ("lse_1", None), "blk_2": ("lse_2", ended(over))}


def test_a_block_by_a_guard_is_lifted_once_by_its_id_and_with_a_reason() -> None:
    (event,) = leases.lifted(state(), "blk_0123456789ab", "a question about a recipe")
    assert (event.block_id, event.reason) == ("blk_0123456789ab", "a question about a recipe")
    there = msgspec.structs.replace(state().snapshot, lifted=("blk_0123456789ab",))
    for block_id, reason, told in (
        ("blk_0123456789ab", "again", "before"),
        ("mallory", "r", "no id"),
        ("blk_01234567", " ", "1 to"),
    ):
        with pytest.raises(InputError, match=told):
            leases.lifted(msgspec.structs.replace(state(), snapshot=there), block_id, reason)
