"""One target: what goes wrong with it is a value."""

import asyncio
from pathlib import Path

import pytest

from holdfast.control.snapshot import Dialect, Target
from holdfast.gateway.failures import Failure, UpstreamError
from holdfast.gateway.upstream import Slots, Upstream, Upstreams, read_secret
from holdfast.testing.clock import FakeClock
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import with_upstreams

BODY = b'{"model":"m","messages":[]}'


def upstream(url: str, **fields: object) -> Upstream:
    return Upstream(Target(name="t", base_url=url, **fields), FakeClock())  # type: ignore[arg-type]


async def failure(one: Upstream) -> Failure:
    try:
        async with await one.send("POST", one.place("/v1/chat/completions", ""), [], BODY) as answer:
            await answer.whole(1_000_000)
    except UpstreamError as error:
        return error.failure
    raise AssertionError("it answered")


@pytest.mark.parametrize("kind", ["reset"])
def test_a_connection_that_breaks_is_a_failure_not_an_exception_of_the_client_library(kind: str) -> None:
    async def test(server: ScriptedUpstream) -> None:
        assert await failure(upstream(server.url)) in (Failure.RESET, Failure.CONNECT)

    with_upstreams(test, Behaviour(kind=kind))


def test_nobody_there_and_nobody_answering_are_told_apart() -> None:
    async def test(server: ScriptedUpstream) -> None:
        assert await failure(upstream(server.url, first_byte_s=0.1)) is Failure.TIMEOUT
        await server.close()
        assert await failure(upstream(server.url)) is Failure.CONNECT

    with_upstreams(test, Behaviour(kind="hang"))


def test_an_answer_is_never_larger_than_what_is_asked_for() -> None:
    async def test(server: ScriptedUpstream) -> None:
        one = upstream(server.url)
        async with await one.send("POST", one.place("/v1/chat/completions", ""), [], BODY) as answer:
            with pytest.raises(UpstreamError, match="more than 10 bytes"):
                await answer.whole(10)
        assert one.slots.in_flight == 0

    with_upstreams(test, Behaviour())


def test_a_stream_that_stops_half_way_is_a_time_out_and_its_first_piece_did_not_wait_for_that() -> None:
    async def test(server: ScriptedUpstream) -> None:
        one = upstream(server.url, first_byte_s=0.3)
        body = b'{"model":"m","messages":[],"stream":true}'
        async with await one.send("POST", one.place("/v1/chat/completions", ""), [], body) as answer:
            assert await answer.chunk()
            with pytest.raises(UpstreamError, match=r"nothing for 0\.3 s"):
                await answer.chunk()

    with_upstreams(test, Behaviour(kind="stall"))


def test_a_slot_is_waited_for_in_order_and_only_so_long() -> None:
    async def test() -> None:
        slots = Slots(1, 0.02)
        await slots.take()
        with pytest.raises(UpstreamError) as refused:
            await slots.take()
        assert refused.value.failure is Failure.SATURATED
        waiting = asyncio.create_task(slots.take())
        await asyncio.sleep(0)
        slots.give_back()
        await waiting
        assert slots.in_flight == 1

    with_upstreams(test)


@pytest.mark.parametrize(
    ("base", "place"),
    [
        ("https://api.openai.com", "/v1/chat/completions?a=1"),
        ("https://api.openai.com/v1/", "/v1/chat/completions?a=1"),
        ("https://x.openai.azure.com/openai/v1", "/openai/v1/chat/completions?a=1"),
        ("http://host:8000/prefix", "/prefix/v1/chat/completions?a=1"),
    ],
    ids=["bare", "v1", "azure", "prefix"],
)
def test_v1_is_part_of_the_base_or_of_the_path_never_both(base: str, place: str) -> None:
    assert upstream(base).place("/v1/chat/completions", "a=1") == place


def test_a_key_goes_where_the_dialect_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K", " secret\n")
    assert upstream("https://a.example", api_key_env="K").credentials() == [("authorization", "Bearer secret")]
    assert upstream("https://a.example", api_key_env="K", dialect=Dialect.ANTHROPIC).credentials() == [("x-api-key", "secret")]
    assert upstream("https://a.openai.azure.com/v1", api_key_env="K").credentials() == [("api-key", "secret")]
    assert upstream("https://a.example").credentials() == []


def test_a_key_in_a_file_is_read_again_when_it_was_changed(tmp_path: Path) -> None:
    file = tmp_path / "key"
    clock = FakeClock()
    one = Upstream(Target(name="t", base_url="https://a.example", api_key_file=str(file)), clock)
    file.write_text("old")
    assert one.credentials() == [("authorization", "Bearer old")]
    file.write_text("new")
    clock.advance(10)
    assert one.credentials() == [("authorization", "Bearer new")]


@pytest.mark.parametrize("content", [b"", b"a\nb", b"\xff\xfe"], ids=["empty", "two-lines", "bytes"])
def test_what_is_no_key_is_refused_by_its_place_without_its_content(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(UpstreamError, match="no usable key in file") as refused:
        read_secret(Target(name="t", base_url="https://a.example", api_key_file=str(tmp_path / "key")))
    assert refused.value.failure is Failure.CREDENTIALS


def test_a_target_that_did_not_change_keeps_its_connections() -> None:
    upstreams = Upstreams(FakeClock())
    old = Target(name="a", base_url="http://x")
    upstreams.configure({"a": old})
    before = upstreams.get("a")
    upstreams.configure({"a": Target(name="a", base_url="http://x"), "b": old})
    assert upstreams.get("a") is before
    upstreams.configure({"a": Target(name="a", base_url="http://y")})
    assert upstreams.get("a") is not before
    assert upstreams.get("b") is None


def test_a_pause_that_a_target_asked_for_is_kept() -> None:
    clock = FakeClock()
    one = Upstream(Target(name="t", base_url="http://x"), clock)
    one.back_off(5)
    one.back_off(1)
    assert one.backing_off_s == 5
    clock.advance(6)
    assert one.backing_off_s == 0
