import threading
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from holdfast.api.goodbye import api_config
from holdfast.testing.control import example_desired
from holdfast.testing.control_server import ControlServer


def test_a_server_that_stops_ends_its_streams_itself(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ended: list[str] = []

    def listen(server: ControlServer, path: str, begun: threading.Event) -> None:
        with httpx.stream("GET", server.url + path, headers=server.headers, timeout=60) as response:
            for _ in response.iter_lines():
                begun.set()
        ended.append(path)

    paths = ("/api/v1/control/stream", "/ofrep/v1/events")
    with ControlServer(tmp_path) as server:
        server.configure(example_desired())
        threads = []
        for path in paths:
            begun = threading.Event()
            threads.append(threading.Thread(target=listen, args=(server, path, begun)))
            threads[-1].start()
            assert begun.wait(10)
    for thread in threads:
        thread.join(10)
    assert sorted(ended) == sorted(paths)
    assert "Traceback" not in capfd.readouterr().err


def test_it_is_the_client_who_lets_a_resting_connection_go() -> None:
    usual_rests_s = (5, 30, 60)  # of httpx, of Go's clients behind many proxies, of nginx
    assert api_config(FastAPI()).timeout_keep_alive > max(usual_rests_s)
