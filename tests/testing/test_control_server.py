from pathlib import Path

import httpx
import pytest

from holdfast.testing.control import example_desired
from holdfast.testing.control_server import ControlServer


def test_it_serves_a_control_plane_until_the_block_ends(tmp_path: Path) -> None:
    with ControlServer(tmp_path) as server:
        assert server.configure(example_desired()) == 1
        answer = httpx.get(f"{server.url}/api/v1/control/snapshot", headers=server.headers)
        assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
        assert httpx.get(f"{server.url}/api/v1/control/snapshot").status_code == 401
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/healthz")


def test_what_was_configured_is_there_after_a_restart(tmp_path: Path) -> None:
    with ControlServer(tmp_path) as server:
        server.configure(example_desired())
    with ControlServer(tmp_path) as again:
        assert again.plane.store.snapshot.version == 1
