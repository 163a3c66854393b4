import contextlib
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.ingest import connections
from tests.ingest.receivers import Running, config, running


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Running]:
    with running(config(tmp_path)) as receiver:
        yield receiver


def connect(served: Running) -> socket.socket:
    return socket.create_connection((served.endpoints.host, served.endpoints.http_port), timeout=20)


def rest(sender: socket.socket) -> bytes:
    """Everything up to the end of the connection; a reset is an end too."""
    received = b""
    try:
        while part := sender.recv(4096):
            received += part
    except ConnectionError:
        pass
    return received


@pytest.mark.parametrize("begun", [b"", b"POST /v1/tra", b"POST /v1/traces HTTP/1.1\r\nhost: x\r\n"])
def test_a_sender_that_does_not_finish_its_head_is_hung_up_on(
    served: Running, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", 0.05)
    with connect(served) as sender:
        sender.sendall(begun)
        assert rest(sender) == b""


def test_a_head_without_an_end_is_cut_off(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_HEAD_BYTES", 1000)
    with connect(served) as sender:
        sender.sendall(b"POST /v1/traces HTTP/1.1\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(500)))
        assert rest(sender).startswith(b"HTTP/1.1 400")
    assert served.send(1).status_code == 200


def test_more_connections_than_allowed_are_hung_up_on_and_the_others_are_served(
    served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert served.send(1).status_code == 200
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 1)
    with connect(served) as sender:
        assert rest(sender) == b""
    assert served.send(2).status_code == 200


def test_what_is_not_http_is_answered_with_400(served: Running) -> None:
    with connect(served) as sender:
        sender.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        assert rest(sender).startswith(b"HTTP/1.1 400")


def test_a_connection_serves_one_request_after_the_other(served: Running) -> None:
    connection = http.client.HTTPConnection(served.endpoints.host, served.endpoints.http_port, timeout=20)
    with contextlib.closing(connection):
        for _ in range(3):
            connection.request("GET", "/healthz")
            assert connection.getresponse().read() == b'{"status":"ok","reason":""}'
