import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from holdfast.api.plane import ControlPlane
from holdfast.control.effects import DisableTool
from holdfast.control.prompts import rolled_back
from holdfast.core.stream import StreamEvent
from holdfast.ledger.store import Ledger
from holdfast.testing.clock import FakeClock
from holdfast.testing.control import example_desired
from holdfast.testing.control_server import ControlServer, control_context
from tests.control.examples import draft

PAUSE = threading.Event()


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether `holds` becomes true in time."""
    return any(holds() or PAUSE.wait(0.01) for _ in range(int(seconds / 0.01)))


def test_flags_are_made_once_a_snapshot(tmp_path: Path) -> None:
    with Ledger(f"sqlite:///{tmp_path}/l.sqlite") as ledger:
        plane = ControlPlane(control_context(ledger, FakeClock()))
        first = plane.flags()
        assert plane.flags() is first
        plane.store.configure(example_desired(), "user:ada", "r", 0)
        assert plane.flags() is not first


def test_history_is_newest_first(tmp_path: Path) -> None:
    with Ledger(f"sqlite:///{tmp_path}/l.sqlite") as ledger:
        plane = ControlPlane(control_context(ledger, FakeClock()))
        plane.store.configure(example_desired(), "user:ada", "r", 0)
        plane.store.stop_automation("user:ada", "r")
        assert [entry.version for entry in plane.history(10, 0)] == [2, 1]


def test_what_another_server_changes_is_served_here_soon(tmp_path: Path) -> None:
    with ControlServer(tmp_path) as one, ControlServer(tmp_path) as other:
        one.configure(example_desired())
        assert until(lambda: other.plane.store.snapshot.version == 1)
        assert other.plane.store.snapshot == one.plane.store.snapshot


def test_an_expiry_is_written_down_while_nobody_asks(tmp_path: Path) -> None:
    clock = FakeClock()
    with ControlServer(tmp_path, clock=clock) as server:
        server.configure(example_desired())
        server.plane.store.grant(lambda state: draft(DisableTool(tool="x")), "user:ada")
        clock.advance(60)
        assert until(lambda: server.plane.store.state.ended != ())
        assert server.plane.store.snapshot.created_ns == clock.now_ns()


def test_a_server_that_stops_ends_its_follower(tmp_path: Path) -> None:
    with ControlServer(tmp_path) as server:
        server.configure(example_desired())
    assert not any(thread.name == "control-server" for thread in threading.enumerate())


def test_prometheus_sees_the_control_plane(tmp_path: Path) -> None:
    with ControlServer(tmp_path) as server:
        server.configure(example_desired())
        text = httpx.get(f"{server.url}/metrics", headers=server.headers, timeout=60).text
        assert "holdfast_control_version 1.0" in text
        assert "python_info" in text


def test_a_broken_control_stream_takes_the_control_plane_down_and_nothing_else(tmp_path: Path) -> None:
    with ControlServer(tmp_path) as server:
        server.configure(example_desired())
    with Ledger(f"sqlite:///{tmp_path}/control.sqlite") as ledger:
        event = StreamEvent(time_ns=1, actor="eve", type="LeaseExpired", body='{"type":"LeaseExpired","lease_id":"lse_9"}')
        ledger.stream("control").append([event])
    with ControlServer(tmp_path) as server:
        assert httpx.get(f"{server.url}/api/v1/control", headers=server.headers, timeout=60).status_code == 503
        assert httpx.get(f"{server.url}/api/v1/incidents", headers=server.headers, timeout=60).status_code == 200
        assert "holdfast_control_up 0.0" in httpx.get(f"{server.url}/metrics", headers=server.headers, timeout=60).text


def test_what_the_control_plane_changes_is_kept_where_a_diagnosis_looks_for_suspects(tmp_path: Path) -> None:
    with ControlServer(tmp_path) as server:
        kept: Any = server.context.telemetry
        server.configure(example_desired())
        server.plane.store.edit(lambda desired, now_ns: rolled_back(desired, "support"), "user:ada", "v2 hallucinates")
        assert until(lambda: any(change.from_value == "v2" for change in kept.changes.values()))
        change = next(change for change in kept.changes.values() if change.from_value == "v2")
        assert (change.kind, change.target, change.to_value) == ("prompt", "prompt/support", "v1")
