"""What every action promises. A new one is covered by adding its line to `tests/act/examples.py`."""

import itertools

import msgspec
import pytest

from holdfast.act.containment import Containment
from holdfast.act.registry import ACTIONS
from holdfast.control.effective import NOTHING, Effective, Matcher
from holdfast.control.snapshot import Snapshot
from holdfast.control.store import ControlStore
from holdfast.core.errors import ConflictError, InputError, TransitionError
from holdfast.testing.clock import FakeClock
from holdfast.testing.control import example_desired
from holdfast.testing.streams import MemoryStream
from tests.act.examples import ARGUMENTS, ROUTE, USER, request

ALL = sorted(ACTIONS)
ADA = "user:ada"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> ControlStore:
    made = ControlStore(MemoryStream(), clock)
    made.configure(example_desired(), ADA, "first configuration", 0)
    return made


def meets(snapshot: Snapshot, clock: FakeClock, scope: dict[str, str]) -> Effective:
    """What a request with these dimensions meets."""
    return Matcher(snapshot).match({name: (value,) for name, value in scope.items()}, clock.now_ns())


def test_every_action_has_its_example() -> None:
    assert set(ARGUMENTS) == set(ACTIONS)
    assert len(ACTIONS) == 12


@pytest.mark.parametrize("name", ALL)
def test_it_describes_itself(name: str) -> None:
    action = ACTIONS[name]
    assert action.name == name
    assert 10 < len(action.summary) < 120
    assert issubclass(action.arguments, msgspec.Struct)
    assert action.arguments.__struct_config__.forbid_unknown_fields


@pytest.mark.parametrize("name", ALL)
def test_what_it_does_shows_within_its_scope_and_nowhere_else(name: str, store: ControlStore, clock: FakeClock) -> None:
    lease = Containment(store).apply(request(name), ADA)
    inside = meets(store.snapshot, clock, lease.scope)
    assert inside.leases == (lease,)
    assert inside != NOTHING
    for outside in ({"route": "search", "tenant": "acme"}, {"route": "support"}, {"user": "alice"}, {}):
        assert meets(store.snapshot, clock, outside) is NOTHING


@pytest.mark.parametrize("name", ALL)
def test_undoing_it_leaves_no_trace(name: str, store: ControlStore, clock: FakeClock) -> None:
    before = store.snapshot
    containment = Containment(store)
    lease = containment.apply(request(name), ADA)
    containment.undo(lease.id, ADA, "it is over")
    after = store.snapshot
    assert (after.desired, after.leases, after.automation) == (before.desired, before.leases, before.automation)
    assert meets(after, clock, lease.scope) is NOTHING


@pytest.mark.parametrize("name", ALL)
def test_it_ends_by_itself(name: str, store: ControlStore, clock: FakeClock) -> None:
    lease = Containment(store).apply(request(name), ADA)
    clock.advance(600)
    assert meets(store.snapshot, clock, lease.scope) is NOTHING
    assert store.expire().snapshot.leases == ()


PAIRS = list(itertools.permutations(ALL, 2))


@pytest.mark.parametrize(("first", "second"), PAIRS, ids="-".join)
def test_two_of_them_unwind_in_any_order(first: str, second: str, store: ControlStore, clock: FakeClock) -> None:
    containment = Containment(store)
    one = containment.apply(request(first), ADA)
    alone = meets(store.snapshot, clock, one.scope)
    other = containment.apply(request(second), ADA)
    containment.undo(other.id, ADA, "over")
    assert meets(store.snapshot, clock, one.scope) == alone
    containment.undo(one.id, ADA, "over")
    assert meets(store.snapshot, clock, one.scope) is NOTHING


@pytest.mark.parametrize("name", ALL)
def test_an_empty_scope_is_refused(name: str, store: ControlStore) -> None:
    with pytest.raises(InputError, match="scope"):
        Containment(store).apply(request(name, scope={}), ADA)
    assert store.snapshot.version == 1


@pytest.mark.parametrize("name", ALL)
def test_an_argument_that_it_does_not_know_is_refused(name: str, store: ControlStore) -> None:
    with pytest.raises(InputError, match="arguments"):
        Containment(store).apply(request(name, arguments={**ARGUMENTS[name][0], "colour": "red"}), ADA)


@pytest.mark.parametrize("name", ALL)
def test_the_dry_run_says_in_words_what_would_happen_and_changes_nothing(name: str, store: ControlStore) -> None:
    plan = Containment(store).plan(request(name), ADA)
    assert name in plan.does
    assert "acme" in plan.does or "mallory" in plan.does
    assert plan.undo.startswith("end the lease: ")
    assert len(plan.undo) > 20
    assert (store.snapshot.version, store.snapshot.leases) == (1, ())


@pytest.mark.parametrize("name", ALL)
def test_what_was_planned_is_what_is_applied(name: str, store: ControlStore) -> None:
    containment = Containment(store)
    plan = containment.plan(request(name), ADA)
    lease = containment.apply(request(name, plan_hash=plan.plan_hash), ADA)
    assert lease.plan_hash == plan.plan_hash
    assert (lease.before, lease.scope) == (plan.lease.before, plan.lease.scope)
    with pytest.raises(ConflictError, match="approved"):
        containment.apply(request(name, plan_hash=plan.plan_hash, ttl_s=601.0), ADA)


@pytest.mark.parametrize("name", ALL)
def test_automation_may_not_do_it_without_saying_whom_it_reaches(name: str, store: ControlStore) -> None:
    with pytest.raises(TransitionError, match="without a person"):
        Containment(store).apply(request(name, automatic=True), "holdfast")


@pytest.mark.parametrize("name", ALL)
def test_it_says_so_when_it_stands_already(name: str, store: ControlStore) -> None:
    containment = Containment(store)
    first = containment.apply(request(name), ADA)
    if name in ("revert_prompt", "downgrade_model", "shift_traffic"):
        assert containment.plan(request(name), ADA).lease.before != first.before
    else:
        before = containment.plan(request(name), ADA).lease.before
        assert before != first.before
        assert first.before


def test_scopes_of_the_examples_are_different() -> None:
    assert not ROUTE.items() & USER.items()
