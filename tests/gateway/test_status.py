"""What workers say of themselves, together."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from holdfast.control.gateways import BreakerPosition
from holdfast.gateway.meters import Meters, Seconds
from holdfast.gateway.status import WorkerStatus, breaker_statuses, merged, read_statuses, report_of, status_path, write_status
from holdfast.gateway.switch import Position
from holdfast.testing.gateway import simple
from holdfast.testing.upstream import Behaviour, ScriptedUpstream
from tests.gateway.world import World, with_upstreams

NOW_NS = 1_800_000_000 * 10**9


def status(worker: int, **fields: object) -> WorkerStatus:
    values = {"worker": worker, "pid": 100 + worker, "started_ns": 5, "at_ns": NOW_NS, "version": 3} | fields
    return WorkerStatus(**values)  # type: ignore[arg-type]


def test_what_was_written_is_read_until_it_is_old_and_rubbish_is_left_out(tmp_path: Path) -> None:
    write_status(tmp_path, status(0))
    write_status(tmp_path, status(1, at_ns=NOW_NS - 60 * 10**9))
    status_path(tmp_path, 2).write_bytes(b"rubbish")
    assert [s.worker for s in read_statuses(tmp_path, NOW_NS)] == [0]


def test_a_gateway_runs_what_its_slowest_worker_runs() -> None:
    report = report_of([status(0), status(1, version=2, dropped=4, refused="older")], 77, "")
    assert (report.version, report.spooled, report.dropped, report.refused) == (2, 77, 4, "older")
    assert report.interventions
    off = report_of([status(0, switch=Position.OFF), status(1, switch=Position.TEMPLATE)], 0, "")
    assert (off.interventions, off.templates_forced) == (False, True)
    assert report_of([], 0, "").version == 0


def test_breakers_that_are_not_closed_come_first_with_their_scope() -> None:
    async def test(sick: ScriptedUpstream, well: ScriptedUpstream) -> None:
        world = World(simple(sick.url, well.url))
        for _ in range(25):
            await world.ask()
        found = breaker_statuses(world.gateway)
        assert (found[0].position, found[0].target) == (BreakerPosition.OPEN, "t0")
        assert found[0].bad == found[0].seen >= 20

    with_upstreams(test, Behaviour(kind="down"), Behaviour())


def test_metrics_of_workers_add_up_and_stay_readable() -> None:
    meters = [Meters(), Meters()]
    for m in meters:
        m.count("requests", "r", "200", "")
        m.snapshot.set(7)
        m._seconds.setdefault("r", Seconds()).add(0.2)
    meters[1].count("requests", 'we"ird\n', "200", "")
    text = merged([m.exposition().decode() for m in meters]).decode()
    samples = {(s.name, *s.labels.values()): s.value for f in text_string_to_metric_families(text) for s in f.samples}
    assert samples["holdfast_gateway_requests_total", "200", "", "r"] == 2
    assert samples["holdfast_gateway_requests_total", "200", "", 'we"ird\n'] == 1
    assert samples["holdfast_gateway_snapshot_version",] == 7
    assert samples["holdfast_gateway_request_seconds_count", "r"] == 2
