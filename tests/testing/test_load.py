"""What clients got is counted, errors too, and nobody is left behind."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from holdfast.testing.gateway import GatewayProcess, simple
from holdfast.testing.load import Load
from holdfast.testing.upstream import UpstreamProcess


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder: Path = tmp_path_factory.mktemp("load")
    with UpstreamProcess() as upstream, GatewayProcess(folder, simple(upstream.url)) as running:
        yield running


def test_every_answer_is_counted_by_status_and_target(gateway: GatewayProcess) -> None:
    with Load(gateway.url, clients=2) as load:
        load.wait_for(10)
    assert set(load.seen) == {"200 t0"}
    assert load.total == load.seen.total() >= 10
    assert 0 < load.slowest_s < 20


def test_a_client_says_and_counts_what_it_is_told_to(gateway: GatewayProcess) -> None:
    def told(text: str, answer: httpx.Response | str) -> str:
        return f"{text} {answer if isinstance(answer, str) else answer.status_code}"

    with Load(gateway.url, clients=1, said=lambda n: f"question {n % 2}", told=told) as load:
        load.wait_for(4)
    assert set(load.seen) == {"question 0 200", "question 1 200"}


def test_a_gateway_that_is_not_there_is_counted_by_the_name_of_the_error() -> None:
    with Load("http://127.0.0.1:9", clients=1) as load:
        load.wait_for(3)
    assert set(load.seen) == {"ConnectError"}


def test_waiting_for_answers_that_do_not_come_ends(gateway: GatewayProcess) -> None:
    load = Load(gateway.url, clients=1, patience_s=0.05)
    with pytest.raises(TimeoutError):
        load.wait_for(1)
