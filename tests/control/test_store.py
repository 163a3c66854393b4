import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from holdfast.control.effective import Matcher, compose
from holdfast.control.effects import (
    DisableTool,
    Effect,
    EnforceGuards,
    OpenBreaker,
    PinParameters,
    QuarantineSource,
    ShiftTraffic,
    UseModel,
    UsePrompt,
)
from holdfast.control.events import START, fold
from holdfast.control.snapshot import Desired, Snapshot
from holdfast.control.store import ATTEMPTS, STREAM, ControlStore
from holdfast.control.validate import problems
from holdfast.core.errors import ConflictError, InputError, IntegrityError, NotFoundError, StoreError, TransitionError
from holdfast.ledger.store import Ledger
from holdfast.testing.clock import FakeClock
from holdfast.testing.control import example_desired
from holdfast.testing.postgres import PostgresCluster
from holdfast.testing.streams import MemoryStream
from tests.control.conftest import START_NS
from tests.control.examples import draft

ADA = "user:ada"
replace = msgspec.structs.replace


def limited(requests_per_s: float) -> Desired:
    desired = example_desired()
    return replace(desired, user_limit=replace(desired.user_limit, requests_per_s=requests_per_s))


def grant(store: ControlStore, effect: Effect | None = None, **changes: Any) -> str:
    wanted = draft(effect, **changes)
    return store.grant(lambda state: wanted, ADA).id


# Desired state


def test_a_new_plane_is_empty_at_version_zero(clock: FakeClock) -> None:
    assert ControlStore(MemoryStream(), clock).state == START


def test_a_change_says_what_it_changed_and_makes_one_version(store: ControlStore, stream: MemoryStream) -> None:
    assert store.configure(limited(5.0), ADA, "too fast", 1) == ("user_limit: requests_per_s: 0.0 → 5.0",)
    assert (store.snapshot.version, stream.version()) == (2, 2)
    assert store.snapshot.desired == limited(5)


def test_the_same_again_changes_nothing(store: ControlStore) -> None:
    assert store.configure(example_desired(), ADA, "again", 1) == ()
    assert store.snapshot.version == 1


def test_a_change_to_a_version_that_somebody_else_has_left_is_refused(store: ControlStore) -> None:
    store.configure(limited(5), ADA, "r", 1)
    with pytest.raises(ConflictError, match="at version 2, not 1"):
        store.configure(limited(6), "user:grace", "r", 1)
    assert store.snapshot.desired == limited(5)


@pytest.mark.parametrize("reason", ["", " ", "x" * 2_001], ids=["none", "blank", "long"])
def test_a_change_without_a_reason_is_refused(store: ControlStore, reason: str) -> None:
    with pytest.raises(InputError, match="reason"):
        store.configure(limited(5), ADA, reason, 1)
    assert store.snapshot.version == 1


def test_an_unsound_change_is_refused_and_nothing_is_written(store: ControlStore, stream: MemoryStream) -> None:
    broken = replace(example_desired(), targets=())
    with pytest.raises(InputError, match=r"routes\[support\].targets\[large\]: there is no target"):
        store.configure(broken, ADA, "r", 1)
    assert (store.snapshot.version, stream.version()) == (1, 1)


def test_what_a_live_lease_needs_cannot_be_taken_away(store: ControlStore) -> None:
    lease_id = grant(store, UsePrompt(prompt="support", version="v1"))
    prompt = example_desired().prompts[0]
    without_v1 = replace(example_desired(), prompts=(replace(prompt, versions=prompt.versions[1:]),))
    with pytest.raises(InputError, match=lease_id):
        store.configure(without_v1, ADA, "tidying up", 2)
    store.revoke(lease_id, ADA, "over")
    assert store.configure(without_v1, ADA, "tidying up", 3)


def test_an_edit_is_made_on_what_is_there_even_if_somebody_was_first(
    store: ControlStore, stream: MemoryStream, clock: FakeClock
) -> None:
    other = ControlStore(stream, clock)
    stream.before_append = once(lambda: grant(other))
    store.edit(lambda desired, now_ns: limited(5), ADA, "r")
    assert store.snapshot.version == 3
    assert store.snapshot.desired == limited(5)
    assert len(store.snapshot.leases) == 1


# Compare and swap


def once(act: Callable[[], object]) -> Callable[[], None]:
    """Acts the first time that it is called, not while it acts."""
    pending = [act]

    def run() -> None:
        if pending:
            pending.pop()()

    return run


def test_of_two_servers_that_change_one_version_one_is_refused(
    store: ControlStore, stream: MemoryStream, clock: FakeClock
) -> None:
    other = ControlStore(stream, clock)
    stream.before_append = once(lambda: other.configure(limited(6), "user:grace", "r", 1))
    with pytest.raises(ConflictError):
        store.configure(limited(5), ADA, "r", 1)
    assert store.refresh().snapshot.desired == limited(6)


def test_who_is_never_first_gives_up_after_some_attempts(store: ControlStore, stream: MemoryStream) -> None:
    attempts = itertools.count()

    def always() -> None:
        next(attempts)
        raise ConflictError("somebody else")

    stream.before_append = always
    with pytest.raises(ConflictError, match="again and again"):
        grant(store)
    assert next(attempts) == ATTEMPTS


def test_a_store_that_fails_changes_nothing_here_either(store: ControlStore, stream: MemoryStream) -> None:
    def fail() -> None:
        raise StoreError("the disk is full")

    stream.before_append = fail
    for change in (lambda: grant(store), lambda: store.configure(limited(5), ADA, "r", 1)):
        with pytest.raises(StoreError, match="disk is full"):
            change()
    assert store.snapshot.version == 1
    stream.before_append = lambda: None
    grant(store)


def test_many_threads_grant_at_once_and_every_lease_is_there(store: ControlStore, stream: MemoryStream, clock: FakeClock) -> None:
    stores = [store, ControlStore(stream, clock)]

    def work(number: int) -> None:
        for n in range(10):
            for _ in range(20):
                try:
                    grant(stores[number % 2], DisableTool(tool=f"t{number}-{n}"))
                    break
                except ConflictError:
                    continue

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(store.refresh().snapshot.leases) == 40
    assert store.state == fold(stream.read()) == stores[1].refresh()


# Leases


def test_a_lease_is_laid_over_and_ends_without_a_trace_in_the_desired_state(store: ControlStore) -> None:
    before = store.snapshot.desired
    lease_id = grant(store, UseModel(target="small"))
    assert Matcher(store.snapshot).match({"route": ("support",)}, START_NS).target == "small"
    store.revoke(lease_id, ADA, "over")
    assert store.snapshot.desired == before
    assert store.snapshot.leases == ()


def test_a_lease_is_in_the_order_of_its_grant(store: ControlStore) -> None:
    first, second = grant(store), grant(store, DisableTool(tool="other"))
    assert [lease.id for lease in store.snapshot.leases] == [first, second]
    assert [lease.sequence for lease in store.snapshot.leases] == [2, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scope": {}}, "scope: is empty"),
        ({"scope": {"colour": "red"}}, "is no dimension"),
        ({"share": 0.0}, "share"),
        ({"owner": ""}, "owner"),
        ({"reason": ""}, "reason"),
        ({"effect": UseModel(target="gone")}, "no target 'gone'"),
        ({"ttl_s": 0.0}, "ttl_s"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_a_lease_that_makes_no_sense_is_refused_and_nothing_is_written(
    store: ControlStore, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        grant(store, **changes)
    assert store.snapshot.version == 1


def test_the_lease_that_would_open_the_last_target_is_refused(store: ControlStore) -> None:
    grant(store, OpenBreaker(target="large"))
    with pytest.raises(InputError, match="kill_route"):
        grant(store, OpenBreaker(target="small"), scope={"tenant": "acme"})
    grant(store, OpenBreaker(target="small"), scope={"route": "search"})


def test_granting_twice_with_one_key_is_granting_once_even_after_it_ended(store: ControlStore) -> None:
    first = grant(store, key="inc_1/2")
    assert grant(store, key="inc_1/2") == first
    store.revoke(first, ADA, "over")
    assert grant(store, key="inc_1/2") == first
    assert store.snapshot.version == 3


def test_an_expired_lease_is_written_down_once_by_whoever_looks_first(
    store: ControlStore, stream: MemoryStream, clock: FakeClock
) -> None:
    lease_id, other = grant(store), ControlStore(stream, clock)
    clock.advance(59)
    assert store.expire().snapshot.version == 2
    clock.advance(1)
    assert store.expire().ended[0].lease.id == lease_id
    assert other.expire().snapshot.version == 3
    assert store.expire().snapshot.version == 3


def test_an_expiry_comes_before_the_change_that_finds_it(store: ControlStore, clock: FakeClock) -> None:
    grant(store, OpenBreaker(target="large"))
    clock.advance(60)
    grant(store, OpenBreaker(target="small"))
    assert [lease.effect for lease in store.snapshot.leases] == [OpenBreaker(target="small")]
    assert store.snapshot.version == 4


def test_a_renewed_lease_lives_longer(store: ControlStore, clock: FakeClock) -> None:
    lease_id = grant(store)
    clock.advance(50)
    assert store.renew(lease_id, 60, ADA, "not over yet").expires_ns == START_NS + 110 * 10**9
    clock.advance(59)
    assert store.expire().lease(lease_id) is not None
    clock.advance(1)
    assert store.expire().lease(lease_id) is None
    with pytest.raises(NotFoundError, match="expired"):
        store.renew(lease_id, 60, ADA, "again")


def test_revoking_twice_says_who_was_first(store: ControlStore) -> None:
    lease_id = grant(store)
    store.revoke(lease_id, "user:grace", "it is over")
    with pytest.raises(NotFoundError, match="revoked by user:grace"):
        store.revoke(lease_id, ADA, "r")


def test_the_red_button_ends_what_is_automatic_at_once_and_leaves_what_people_did(store: ControlStore) -> None:
    mine, automatic = grant(store), grant(store, DisableTool(tool="x"), automatic=True)
    state = store.stop_automation(ADA, "it errs")
    assert [lease.id for lease in state.snapshot.leases] == [mine]
    assert (state.snapshot.automation, state.ended[-1].lease.id) == (False, automatic)
    with pytest.raises(TransitionError, match="red button"):
        grant(store, DisableTool(tool="y"), automatic=True)
    store.resume_automation(ADA, "mended")
    assert len(store.snapshot.leases) == 1
    assert grant(store, DisableTool(tool="y"), automatic=True)


def test_what_only_takes_away_works_on_a_state_that_is_not_sound_any_more(stream: MemoryStream, clock: FakeClock) -> None:
    store = ControlStore(stream, clock)
    store.configure(example_desired(), ADA, "r", 0)
    lease_id = grant(store)
    store._state = replace(store.state, snapshot=replace(store.snapshot, desired=replace(example_desired(), targets=())))
    assert problems(store.snapshot)
    store.stop_automation(ADA, "it errs")
    store.revoke(lease_id, ADA, "over")
    assert store.snapshot.leases == ()


# Restarts, other servers, watchers


def test_after_a_restart_everything_is_as_it_was(store: ControlStore, stream: MemoryStream, clock: FakeClock) -> None:
    grant(store)
    store.stop_automation(ADA, "r")
    assert ControlStore(stream, clock).state == store.state


def test_more_events_than_a_page_are_all_read(stream: MemoryStream, clock: FakeClock) -> None:
    store = ControlStore(stream, clock)
    for _ in range(600):
        store.stop_automation(ADA, "r")
        store.resume_automation(ADA, "r")
    assert ControlStore(stream, clock).snapshot.version == 1_200


def test_a_stream_with_a_hole_is_not_served(store: ControlStore, stream: MemoryStream, clock: FakeClock) -> None:
    grant(store)
    del stream._entries[0]
    with pytest.raises(IntegrityError):
        ControlStore(stream, clock)


def test_a_stream_whose_events_do_not_fit_is_not_served(store: ControlStore, stream: MemoryStream, clock: FakeClock) -> None:
    grant(store)
    stream.append([stream.read()[1].event])
    for broken in (store.refresh, lambda: ControlStore(stream, clock)):
        with pytest.raises(IntegrityError, match="control event 3 does not fit"):
            broken()


def test_watchers_are_told_of_own_and_others_changes_until_they_stop(
    store: ControlStore, stream: MemoryStream, clock: FakeClock
) -> None:
    told: list[Snapshot] = []
    stop = store.watch(told.append)
    lease_id = grant(store)
    ControlStore(stream, clock).revoke(lease_id, ADA, "over")
    store.refresh()
    store.refresh()
    stop()
    grant(store)
    assert [snapshot.version for snapshot in told] == [2, 3]


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    with cluster.database() as url:
        yield url


def test_on_a_real_ledger_the_plane_survives_and_the_chain_holds(ledger_url: str, clock: FakeClock) -> None:
    with Ledger(ledger_url) as ledger:
        store = ControlStore(ledger.stream(STREAM), clock)
        store.configure(example_desired(), ADA, "first", 0)
        grant(store)
        clock.advance(60)
        store.expire()
        with pytest.raises(ConflictError):
            store.configure(limited(5), ADA, "late", 1)
        other = ControlStore(ledger.stream(STREAM), clock)
        other.stop_automation("user:grace", "it errs")
        assert ledger.verify().ok
        assert store.refresh() == other.state
    with Ledger(ledger_url) as again:
        reopened = ControlStore(again.stream(STREAM), clock)
        assert reopened.state == store.state
        assert reopened.state == fold(again.stream(STREAM).read())


# Any sequence unwinds


EFFECTS: list[Effect] = [
    UseModel(target="small"),
    UseModel(target="large"),
    DisableTool(tool="refund"),
    QuarantineSource(source="wiki"),
    OpenBreaker(target="large"),
    OpenBreaker(target="small"),
    ShiftTraffic(weights={"large": 1, "small": 0}),
    PinParameters(parameters={"temperature": 0}),
    PinParameters(parameters={"temperature": 1, "seed": 7}),
    EnforceGuards(guards=("pii",), threshold=0.2),
    UsePrompt(prompt="support", version="v1"),
]
SCOPES = [{"route": "support"}, {"route": "search"}, {"tenant": "acme"}, {"route": "support", "tenant": "acme"}]


class Plane(RuleBasedStateMachine):
    """Any sequence of grants, renewals, revocations, expiries, edits, red buttons and restarts, against a naive model."""

    granted = Bundle("granted")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(START_NS)
        self.stream = MemoryStream()
        self.store = ControlStore(self.stream, self.clock)
        self.desired = example_desired()
        self.store.configure(self.desired, ADA, "start", 0)
        self.expected: dict[str, tuple[int, Effect, dict[str, str], bool]] = {}

    @rule(
        target=granted,
        effect=st.sampled_from(EFFECTS),
        scope=st.sampled_from(SCOPES),
        ttl_s=st.integers(1, 100),
        automatic=st.booleans(),
    )
    def grant(self, effect: Effect, scope: dict[str, str], ttl_s: int, automatic: bool) -> str:
        wanted = draft(effect, scope=scope, ttl_s=float(ttl_s), automatic=automatic)
        try:
            lease = self.store.grant(lambda state: wanted, ADA)
        except (InputError, TransitionError):
            return ""
        self.expected[lease.id] = (lease.expires_ns, effect, scope, automatic)
        return lease.id

    @rule(lease_id=granted, ttl_s=st.integers(1, 100))
    def renew(self, lease_id: str, ttl_s: int) -> None:
        try:
            lease = self.store.renew(lease_id, ttl_s, ADA, "longer")
        except NotFoundError:
            assert lease_id not in self.live()
            return
        _, *rest = self.expected[lease_id]
        self.expected[lease_id] = (lease.expires_ns, *rest)  # type: ignore[assignment]

    @rule(lease_id=consumes(granted))
    def revoke(self, lease_id: str) -> None:
        try:
            self.store.revoke(lease_id, ADA, "over")
        except NotFoundError:
            assert lease_id not in self.live()
        self.expected.pop(lease_id, None)

    @rule(seconds=st.integers(0, 60), sweep=st.booleans())
    def wait(self, seconds: int, sweep: bool) -> None:
        self.clock.advance(seconds)
        if sweep:
            self.store.expire()

    @rule(rate=st.integers(0, 5))
    def configure(self, rate: int) -> None:
        self.desired = limited(rate)
        self.store.edit(lambda desired, now_ns: limited(rate), ADA, "another rate")

    @rule()
    def red_button(self) -> None:
        if self.store.snapshot.automation:
            self.store.stop_automation(ADA, "it errs")
            self.expected = {key: value for key, value in self.expected.items() if not value[3]}
        else:
            self.store.resume_automation(ADA, "mended")

    @rule()
    def restart(self) -> None:
        self.store = ControlStore(self.stream, self.clock)

    def live(self) -> dict[str, tuple[int, Effect, dict[str, str], bool]]:
        return {key: value for key, value in self.expected.items() if value[0] > self.clock.now_ns()}

    @invariant()
    def it_is_the_fold_of_its_events(self) -> None:
        assert self.store.state == fold(self.stream.read())

    @invariant()
    def exactly_the_live_leases_are_in_force_over_the_desired_state(self) -> None:
        snapshot = self.store.snapshot
        assert snapshot.desired == self.desired
        live = snapshot.live(self.clock.now_ns())
        assert {lease.id: (lease.expires_ns, lease.effect, lease.scope, lease.automatic) for lease in live} == self.live()

    @invariant()
    def each_request_meets_what_the_leases_that_match_it_say(self) -> None:
        snapshot, now_ns = self.store.snapshot, self.clock.now_ns()
        matcher = Matcher(snapshot)
        for scope in SCOPES:
            matching = [lease for lease in snapshot.live(now_ns) if lease.scope.items() <= scope.items()]
            found = matcher.match({name: (value,) for name, value in scope.items()}, now_ns)
            assert found == compose(matching, {guard.name: guard.threshold for guard in snapshot.desired.guards})

    @invariant()
    def no_request_is_without_a_target(self) -> None:
        assert problems(replace(self.store.snapshot, leases=self.store.snapshot.live(self.clock.now_ns()))) == []

    def teardown(self) -> None:
        """However it went: when all leases are gone, what is left is exactly the desired state."""
        self.clock.advance(200)
        state = self.store.expire()
        assert state.snapshot.leases == ()
        assert state.snapshot.desired == self.desired
        for scope in SCOPES:
            dimensions = {name: (value,) for name, value in scope.items()}
            assert Matcher(state.snapshot).match(dimensions, self.clock.now_ns()).leases == ()


TestAnySequenceUnwinds = Plane.TestCase
TestAnySequenceUnwinds.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
