"""What a worker counts."""

from prometheus_client.parser import text_string_to_metric_families

from holdfast.control.snapshot import GuardPlace
from holdfast.gateway.meters import MAX_LABELS, Meters
from holdfast.testing.gateway import simple
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import World, chat, guard, with_upstreams


def test_requests_attempts_verdicts_tokens_and_cost_are_counted() -> None:
    async def test(upstream: ScriptedUpstream) -> None:
        world = World(simple(upstream.url, guards=(guard("pii", "sensitive_output", GuardPlace.OUTPUT),)))
        for _ in range(3):
            await world.ask(chat("hi"))
        await world.ask(headers={"authorization": ""})
        samples = {
            (s.name, *sorted(s.labels.values())): s.value
            for family in text_string_to_metric_families(world.gateway.meters.exposition().decode())
            for s in family.samples
        }
        assert samples["holdfast_gateway_requests_total", "", "200", "chat"] == 3
        assert samples["holdfast_gateway_requests_total", "", "401", "unauthenticated"] == 1
        assert samples["holdfast_gateway_attempts_total", "ok", "t0"] == 3
        assert samples["holdfast_gateway_guard_verdicts_total", "allow", "none", "pii"] == 3
        assert samples["holdfast_gateway_tokens_total", "input", "t0"] == 60
        assert samples["holdfast_gateway_cost_usd_total", "t0"] > 0
        assert samples["holdfast_gateway_snapshot_version",] == 1

    with_upstreams(test, Behaviour())


def test_what_is_kept_of_labels_is_bounded() -> None:
    meters = Meters()
    for n in range(MAX_LABELS + 100):
        meters.failed(str(n))
    assert len(meters._counts) == MAX_LABELS
