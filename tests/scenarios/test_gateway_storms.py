"""Storms around the gateway, with real processes: everybody busy, streams that go wrong, a disk that takes nothing more."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import orjson
import pytest

from holdfast.control.gateways import BreakerPosition
from holdfast.control.snapshot import Desired, Target
from holdfast.gateway.spool import SpoolReader
from holdfast.testing.gateway import KEY, GatewayProcess, simple
from holdfast.testing.load import CHAT, Load
from holdfast.testing.model_server import Reply
from holdfast.testing.upstream import Behaviour, UpstreamProcess, wait_until
from tests.scenarios.test_gateway_faults import RULE, two

HEADERS = {"authorization": f"Bearer {KEY}"}
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def pair() -> Iterator[tuple[UpstreamProcess, UpstreamProcess]]:
    with UpstreamProcess() as first, UpstreamProcess() as second:
        yield first, second


@contextmanager
def stopped(gateway: GatewayProcess) -> Iterator[None]:
    """Stops a gateway that runs already at the end of a block."""
    try:
        yield
    finally:
        gateway.stop()


def impatient(url: str) -> Desired:
    target = Target(name="t0", base_url=url, connect_s=0.5, first_byte_s=0.5)
    return simple(url, targets=(target,), breakers=(RULE,))


def test_when_every_target_is_busy_clients_hear_when_to_come_back_and_no_breaker_takes_it_for_a_fault(
    pair: tuple[UpstreamProcess, UpstreamProcess], tmp_path: Path
) -> None:
    for one in pair:
        one.behave(Behaviour(kind="busy", retry_after_s=2.0))
    with GatewayProcess(tmp_path, two(*pair)) as gateway:
        with Load(gateway.url, clients=8) as load:
            load.wait_for(100)
            told = httpx.post(gateway.url + CHAT, json=BODY, headers=HEADERS)
            for one in pair:
                one.behave(Behaviour())
            wait_until(lambda: load.seen["200 t0"] > 20)
        wait_until(lambda: bool(gateway.statuses()))
        positions = {b.position for s in gateway.statuses() for b in s.breakers}
    assert (told.status_code, told.headers["retry-after"]) == (429, "2")
    assert {seen.split()[0] for seen in load.seen} == {"200", "429"}, load.seen
    assert positions <= {BreakerPosition.CLOSED}


@pytest.mark.parametrize("kind", ["cut", "stall", "reset"])
def test_a_stream_that_goes_wrong_half_way_ends_in_an_error_and_the_next_request_is_served(kind: str, tmp_path: Path) -> None:
    reply = Reply(text="one two three four five six seven eight nine ten")
    with (
        UpstreamProcess(Behaviour(kind=kind, after=4, reply=reply, failures=1)) as upstream,
        GatewayProcess(tmp_path, impatient(upstream.url)) as gateway,
        httpx.Client(headers=HEADERS) as client,
    ):
        told = client.post(gateway.url + CHAT, json=BODY | {"stream": True})
        well = client.post(gateway.url + CHAT, json=BODY | {"stream": True})
    lines = [line for line in told.text.splitlines() if line]
    assert told.status_code == 200
    assert orjson.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "upstream_failed"
    assert well.text.rstrip().endswith("data: [DONE]")


@pytest.mark.parametrize("kind", ["garbage", "empty"])
def test_a_target_that_answers_nonsense_gives_an_error_in_the_providers_words_and_none_of_the_nonsense(
    kind: str, tmp_path: Path
) -> None:
    with UpstreamProcess(Behaviour(kind=kind)) as upstream, GatewayProcess(tmp_path, impatient(upstream.url)) as gateway:
        for stream in (False, True):
            told = httpx.post(gateway.url + CHAT, json=BODY | {"stream": stream}, headers=HEADERS)
            assert told.status_code == 502
            assert told.json()["error"]["code"] == "upstream_failed"


def test_a_disk_that_takes_nothing_more_costs_telemetry_which_is_counted_and_no_client_anything(tmp_path: Path) -> None:
    with UpstreamProcess() as upstream, GatewayProcess(tmp_path, simple(upstream.url)) as gateway, httpx.Client() as client:

        def ask(times: int) -> None:
            for _ in range(times):
                assert client.post(gateway.url + CHAT, json=BODY, headers=HEADERS).status_code == 200

        def written() -> int:
            # The status cannot be written either: what arrived is in the spool itself.
            return len(SpoolReader(gateway.directory / "spool/0").read(2**30)[0])

        def metrics() -> str:
            return client.get(gateway.url + "/metrics").text

        ask(5)
        wait_until(lambda: written() == 5)
        pid = gateway.worker_pids()[0]
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        ask(20)
        wait_until(lambda: "holdfast_gateway_telemetry_dropped 20.0" in metrics())
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        ask(5)
        wait_until(lambda: written() == 10)
        assert "holdfast_gateway_telemetry_dropped 20.0" in metrics()


def test_a_gateway_that_is_killed_under_load_starts_again_where_it_was_with_its_telemetry(tmp_path: Path) -> None:
    with UpstreamProcess() as upstream:
        gateway = GatewayProcess(tmp_path, simple(upstream.url), workers=2)
        gateway.start()
        with Load(gateway.url) as load:
            load.wait_for(60)
            gateway.kill()
        gateway.start()
        with stopped(gateway):
            told = httpx.post(gateway.url + CHAT, json=BODY, headers=HEADERS)
            assert (told.status_code, told.headers["x-holdfast-snapshot"]) == (200, "1")
            spools = [SpoolReader(spool) for spool in sorted((gateway.directory / "spool").iterdir())]
            # The workers outlive their supervisor for as long as it takes to finish: what they answered is recorded.
            wait_until(lambda: sum(len(s.read(2**30)[0]) for s in spools) >= load.seen["200 t0"] + 1)


def test_a_breaker_that_opens_in_one_worker_opens_in_all(pair: tuple[UpstreamProcess, UpstreamProcess], tmp_path: Path) -> None:
    first, _ = pair
    rule = msgspec.structs.replace(RULE, cool_s=60.0)
    with GatewayProcess(tmp_path, msgspec.structs.replace(two(*pair), breakers=(rule,)), workers=2) as gateway:
        wait_until(lambda: len(gateway.statuses()) == 2)
        first.behave(Behaviour(kind="down"))
        with httpx.Client(headers=HEADERS) as client:
            # One connection, and so one worker, sees it all.
            for _ in range(rule.min_count):
                assert client.post(gateway.url + CHAT, json=BODY).headers["x-holdfast-target"] == "t1"

        def opened() -> list[int]:
            found = gateway.statuses()
            return [s.worker for s in found if any((b.target, b.position.value) == ("t0", "open") for b in s.breakers)]

        wait_until(lambda: opened() == [0, 1])
        assert len(first.asked()) == rule.min_count
