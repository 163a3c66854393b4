import asyncio
import threading

import pytest

from holdfast.control import feed as module
from holdfast.control.feed import MAX_WAITING, Feed, Waiter
from holdfast.control.probes import Probes, ProbeVerdict
from holdfast.control.snapshot import Snapshot
from holdfast.control.store import ControlStore
from holdfast.core.errors import BackpressureError, StoreError
from holdfast.testing.clock import FakeClock
from holdfast.testing.streams import MemoryStream
from tests.control.examples import draft


@pytest.fixture
def feed(store: ControlStore) -> Feed:
    return Feed(store, Probes())


def test_a_change_wakes_all_that_wait_from_whatever_thread(store: ControlStore, feed: Feed) -> None:
    async def waiting() -> list[bool]:
        async with feed.waiting() as one, feed.waiting() as other:
            thread = threading.Thread(target=store.grant, args=(lambda state: draft(), "user:ada"))
            thread.start()
            woken = [await one.wait(10), await other.wait(10)]
            thread.join()
            return woken

    assert asyncio.run(waiting()) == [True, True]


def test_a_change_before_the_wait_is_not_missed(store: ControlStore, feed: Feed) -> None:
    async def waiting() -> bool:
        async with feed.waiting() as waiter:
            store.grant(lambda state: draft(), "user:ada")
            await asyncio.sleep(0)
            return await waiter.wait(10)

    assert asyncio.run(waiting())


def test_a_wait_without_a_change_ends(feed: Feed) -> None:
    async def waiting() -> bool:
        async with feed.waiting() as waiter:
            return await waiter.wait(0.001)

    assert asyncio.run(waiting()) is False


def test_who_has_gone_is_not_woken_and_nobody_else_suffers(store: ControlStore, feed: Feed) -> None:
    gone: list[Waiter] = []

    async def leave() -> None:
        async with feed.waiting() as waiter:
            gone.append(waiter)

    asyncio.run(leave())
    gone[0].wake()
    store.grant(lambda state: draft(), "user:ada")


def test_so_many_may_wait_and_no_more(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 1)

    async def waiting() -> None:
        async with feed.waiting(), feed.waiting():
            pass

    with pytest.raises(BackpressureError):
        asyncio.run(waiting())
    assert MAX_WAITING > 100


def test_the_json_form_is_made_once_a_version(store: ControlStore, feed: Feed) -> None:
    first = feed.encoded()
    assert feed.encoded()[1] is first[1]
    store.grant(lambda state: draft(), "user:ada")
    snapshot, data = feed.encoded()
    assert snapshot.version == 2
    assert data != first[1]


def test_verdicts_are_passed_on(store: ControlStore) -> None:
    probes = Probes()
    kept = probes.add(ProbeVerdict(rule="r", target="t", good=True, judge="j"))
    assert Feed(store, probes).verdicts(0) == [kept]
    assert Feed(store, probes).verdicts(1) == []


async def _followed(feed: Feed, done: threading.Event) -> None:
    task = asyncio.create_task(feed.follow(lambda: None))
    await asyncio.to_thread(done.wait, 10)
    task.cancel()


def test_what_others_change_is_found_by_following(
    store: ControlStore, stream: MemoryStream, clock: FakeClock, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLLOW_S", 0.001)
    ControlStore(stream, clock).grant(lambda state: draft(), "user:grace")
    done = threading.Event()
    found: list[Snapshot] = []

    def seen(snapshot: Snapshot) -> None:
        found.append(snapshot)
        done.set()

    store.watch(seen)
    asyncio.run(_followed(feed, done))
    assert [snapshot.version for snapshot in found] == [2]


def test_a_store_that_fails_is_asked_again(
    store: ControlStore, stream: MemoryStream, clock: FakeClock, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLLOW_S", 0.001)
    store.grant(lambda state: draft(), "user:ada")
    clock.advance(60)
    failures = iter(range(3))
    done = threading.Event()

    def failing() -> None:
        if next(failures, None) is not None:
            raise StoreError("the disk is full")

    stream.before_append = failing
    store.watch(lambda snapshot: done.set())
    asyncio.run(_followed(feed, done))
    assert store.snapshot.leases == ()
    assert next(failures, None) is None
