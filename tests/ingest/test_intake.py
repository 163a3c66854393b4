import asyncio
import gzip
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from holdfast.context.entities import Entity
from holdfast.context.originals import MAX_ORIGINALS, Original
from holdfast.core.errors import BackpressureError, InputError, StoreError, TooLargeError
from holdfast.ingest.intake import MIB, WRITE_BYTES, Body, BodyBudget, Feed, Intake, IntakeLimits
from holdfast.ingest.journal import Journal
from holdfast.ingest.meters import Meters
from holdfast.ingest.record import Decoded, Rejected
from tests.ingest.journals import PROMPT, call, drain


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path, PROMPT) as opened:
        yield opened


def intake(journal: Journal, limits: IntakeLimits | None = None) -> Intake:
    return Intake(journal, {}, limits or IntakeLimits(), Meters())


def one_call(body: bytes) -> Iterator[Decoded]:
    yield Decoded((call(int(body)),), (Rejected("spans[7]", "no id"),))


def test_a_body_is_on_disk_when_it_is_taken(journal: Journal, tmp_path: Path) -> None:
    outcome = asyncio.run(intake(journal).take(Feed.TRACES, Body(b"5"), one_call))
    assert outcome.accepted == 1
    assert outcome.rejected[0].where == "spans[7]"
    assert drain(tmp_path) == [5]


def test_large_bodies_are_decoded_on_another_thread_and_small_ones_are_not(journal: Journal) -> None:
    threads: list[str] = []

    def decode(body: bytes) -> Iterator[Decoded]:
        threads.append(threading.current_thread().name)
        yield Decoded()

    taking = intake(journal, IntakeLimits(inline_bytes=10))
    asyncio.run(taking.take(Feed.TRACES, Body(b"x" * 10), decode))
    asyncio.run(taking.take(Feed.TRACES, Body(b"x" * 11), decode))
    taking.close()
    assert threads[0] == threading.current_thread().name
    assert threads[1] != threads[0]


def test_a_body_over_the_limit_is_not_decoded(journal: Journal) -> None:
    with pytest.raises(TooLargeError):
        asyncio.run(intake(journal, IntakeLimits(max_body_bytes=10)).take(Feed.TRACES, Body(b"1" * 11), one_call))


def test_a_body_nested_too_deep_for_the_decoder_is_bad_input(journal: Journal) -> None:
    def decode(body: bytes) -> Iterator[Decoded]:
        yield from decode(body)

    with pytest.raises(InputError, match="deep"):
        asyncio.run(intake(journal).take(Feed.TRACES, Body(b""), decode))


def test_nothing_is_decoded_while_the_journal_takes_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path, msgspec.structs.replace(PROMPT, min_free_bytes=2**62)) as full, pytest.raises(StoreError):
        asyncio.run(intake(full).take(Feed.TRACES, Body(b"not a number"), one_call))


def test_a_disk_that_does_not_answer_in_time_is_an_error(tmp_path: Path) -> None:
    stuck, release = os.pipe()

    def write(file: int, data: memoryview) -> int:
        os.read(stuck, 1)
        return os.write(file, data)

    with Journal(tmp_path, PROMPT, write) as journal:
        taking = intake(journal, IntakeLimits(ack_timeout_s=0.02))
        with pytest.raises(StoreError, match="disk did not answer"):
            asyncio.run(taking.take(Feed.TRACES, Body(b"5"), one_call))
        os.write(release, b"go")
    os.close(stuck)
    os.close(release)
    assert drain(tmp_path) == [5]


def test_what_was_taken_and_refused_is_counted(journal: Journal) -> None:
    taking = intake(journal)
    asyncio.run(taking.take(Feed.LOGS, Body(b"5"), one_call))
    taking.refresh_meters()
    text = taking.meters.exposition().decode()
    assert 'holdfast_ingest_accepted_total{feed="logs"} 1.0' in text
    assert 'holdfast_ingest_rejected_total{feed="logs",reason="invalid"} 1.0' in text
    assert f"holdfast_ingest_lag_bytes {float(journal.lag_bytes)}" in text


def test_bodies_together_stay_within_the_budget() -> None:
    budget = BodyBudget(IntakeLimits(max_buffered_bytes=100))
    with budget.open() as first, budget.open() as second:
        first.take(60)
        with pytest.raises(BackpressureError):
            second.take(41)
        second.take(40)
        assert budget.bytes == 100
    assert (budget.bytes, budget.requests) == (0, 0)


def test_requests_at_a_time_stay_within_the_budget() -> None:
    budget = BodyBudget(IntakeLimits(max_requests=1))
    with budget.open(), pytest.raises(BackpressureError):
        budget.open()
    with budget.open():
        assert budget.requests == 1


def test_a_request_that_fails_gives_back_what_it_held() -> None:
    budget = BodyBudget(IntakeLimits())
    with pytest.raises(BackpressureError), budget.open() as hold:
        hold.take(2**60)
    assert (budget.bytes, budget.requests) == (0, 0)


def test_what_a_body_holds_is_written_while_it_is_read(journal: Journal, tmp_path: Path) -> None:
    def many(body: bytes) -> Iterator[Decoded]:
        for number in range(8):
            yield Decoded((call(number, WRITE_BYTES),))
            if number == 4:
                assert drain(tmp_path)[:2] == [0, 1]

    outcome = asyncio.run(intake(journal).take(Feed.TRACES, Body(b""), many))
    assert outcome.accepted == 8
    assert drain(tmp_path) == list(range(8))


def test_a_body_that_fails_half_way_is_to_be_sent_again(tmp_path: Path) -> None:
    left = [WRITE_BYTES * 2]

    def write(file: int, data: memoryview) -> int:
        left[0] -= len(data)
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return os.write(file, data)

    def many(body: bytes) -> Iterator[Decoded]:
        for number in range(8):
            yield Decoded((call(number, WRITE_BYTES),))

    with Journal(tmp_path, PROMPT, write) as journal, pytest.raises(StoreError):
        asyncio.run(intake(journal).take(Feed.TRACES, Body(b""), many))
    # On a busy machine the journal's thread takes the first calls together, and none of them fits.
    assert drain(tmp_path) in ([0], [])


def test_a_body_that_grows_without_end_is_refused(journal: Journal) -> None:
    def endless(body: bytes) -> Iterator[Decoded]:
        while True:
            yield Decoded((call(1, WRITE_BYTES),))

    with pytest.raises(TooLargeError, match="bytes of disk"):
        asyncio.run(intake(journal, IntakeLimits(max_body_bytes=MIB)).take(Feed.TRACES, Body(b""), endless))


def test_a_body_of_nothing_but_faults_is_refused(journal: Journal) -> None:
    def faults(body: bytes) -> Iterator[Decoded]:
        while True:
            yield Decoded(rejected=(Rejected("spans[0]", "no id"),) * 1000)

    with pytest.raises(TooLargeError, match="cannot be used"):
        asyncio.run(intake(journal).take(Feed.TRACES, Body(b""), faults))


def test_a_small_gzip_body_that_is_large_inside_is_decoded_on_another_thread(journal: Journal) -> None:
    threads: list[str] = []

    def decode(body: bytes) -> Iterator[Decoded]:
        threads.append(threading.current_thread().name)
        yield Decoded()

    taking = intake(journal, IntakeLimits(inline_bytes=10_000))
    for size in (9_000, 11_000):
        asyncio.run(taking.take(Feed.TRACES, Body(gzip.compress(bytes(size)), gzip=True), decode))
    taking.close()
    assert threads[0] == threading.current_thread().name
    assert threads[1] != threads[0]


def found(number: int, value: str = "joe@example.com") -> Original:
    return Original(application="shop", entity=Entity.EMAIL_ADDRESS, code=f"{number:064x}", value=value, time_ns=1)


def test_originals_are_given_away_only_when_what_they_are_of_is_on_disk(journal: Journal) -> None:
    given: list[int] = []
    on_disk: list[bool] = []

    def deposit(originals: Sequence[Original]) -> None:
        given.extend(int(o.code, 16) for o in originals)
        on_disk.append(journal._pending_bytes == 0)

    def decode(_: bytes) -> Iterator[Decoded]:
        yield Decoded((call(1),), (), (found(1), found(2)))
        yield Decoded((call(2),), (), (found(2), found(3)))

    opened = Intake(journal, {}, IntakeLimits(), Meters(), deposit)
    asyncio.run(opened.take(Feed.TRACES, Body(b"5"), decode))
    assert (given, on_disk) == ([1, 2, 3], [True])


def test_of_a_body_that_could_not_be_kept_nothing_is_sealed(journal: Journal) -> None:
    given: list[Original] = []

    def broken(_: bytes) -> Iterator[Decoded]:
        yield Decoded((call(1),), (), (found(1),))
        raise InputError("cut short")

    opened = Intake(journal, {}, IntakeLimits(), Meters(), given.extend)
    with pytest.raises(InputError):
        asyncio.run(opened.take(Feed.TRACES, Body(b"5"), broken))
    assert given == []


def test_originals_of_one_body_are_bounded_and_the_rest_is_counted(journal: Journal) -> None:
    given: list[Original] = []

    def many(_: bytes) -> Iterator[Decoded]:
        yield Decoded((call(1),), (), tuple(found(n) for n in range(MAX_ORIGINALS)))
        yield Decoded((call(2),), (), (found(0), found(-1 % 2**64), found(2**65)), 4)

    opened = Intake(journal, {}, IntakeLimits(), Meters(), given.extend)
    asyncio.run(opened.take(Feed.TRACES, Body(b"5"), many))
    assert len(given) == MAX_ORIGINALS
    assert b'holdfast_ingest_originals_total{fate="dropped"} 6.0' in opened.meters.exposition()
