"""What the server is told of probes: each thing once, and again only where it had no room."""

import asyncio
import os

import pytest

from holdfast.control.probes import ProbeAnswer, ProbeVerdict
from holdfast.gateway.status import WorkerStatus
from holdfast.gateway.telling import Said, Telling


class Server:
    """Answers with `status`, and keeps what it took."""

    def __init__(self, status: int = 201) -> None:
        self.status = status
        self.sent: list[Said] = []
        self.took: list[Said] = []

    async def send(self, said: Said) -> int:
        self.sent.append(said)
        if 0 < self.status < 300:
            self.took.append(said)
        return self.status


def verdict(time_ns: int) -> ProbeVerdict:
    return ProbeVerdict(rule="", target="t0", good=True, judge="tox", lease_id="l", time_ns=time_ns)


def answer(time_ns: int) -> ProbeAnswer:
    return ProbeAnswer(lease_id="l", target="t0", judge="person", trace_id="t", call=b"{}", time_ns=time_ns)


def status(*said: Said, pid: int = os.getpid()) -> WorkerStatus:
    return WorkerStatus(
        worker=0,
        pid=pid,
        started_ns=0,
        at_ns=0,
        version=1,
        probes=tuple(s for s in said if isinstance(s, ProbeVerdict)),
        answers=tuple(s for s in said if isinstance(s, ProbeAnswer)),
    )


def told(server: Server, *rounds: list[WorkerStatus]) -> None:
    async def tell() -> None:
        telling = Telling(server.send)
        for statuses in rounds:
            await telling.tell(statuses)

    asyncio.run(tell())


def test_everything_is_told_once_and_in_order() -> None:
    server = Server()
    told(server, [status(verdict(1), answer(1))], [status(verdict(1), verdict(2), answer(1), answer(3))])
    assert [(type(s), s.time_ns) for s in server.took] == [
        (ProbeVerdict, 1),
        (ProbeAnswer, 1),
        (ProbeVerdict, 2),
        (ProbeAnswer, 3),
    ]


def test_workers_are_told_apart() -> None:
    server = Server()
    told(server, [status(verdict(5), pid=1), status(verdict(4), pid=2)])
    assert [s.time_ns for s in server.took] == [5, 4]


@pytest.mark.parametrize("full", [0, 429, 503])
def test_what_there_was_no_room_for_is_told_again(full: int) -> None:
    async def tell() -> None:
        server = Server(full)
        telling = Telling(server.send)
        await telling.tell([status(answer(1), answer(2))])
        assert [s.time_ns for s in server.sent] == [1]
        server.status = 202
        await telling.tell([status(answer(1), answer(2))])
        assert [s.time_ns for s in server.took] == [1, 2]

    asyncio.run(tell())


def test_answers_that_wait_for_a_busy_judge_hold_up_no_verdict() -> None:
    class Busy(Server):
        async def send(self, said: Said) -> int:
            await super().send(said)
            return 429 if isinstance(said, ProbeAnswer) else 201

    server = Busy()
    told(server, [status(answer(1), verdict(2))], [status(answer(1), verdict(2), verdict(3))])
    assert [s.time_ns for s in server.sent if isinstance(s, ProbeVerdict)] == [2, 3]


@pytest.mark.parametrize("refused", [403, 404, 422])
def test_what_the_server_refuses_is_not_sent_for_ever(refused: int) -> None:
    server = Server(refused)
    told(server, [status(answer(1))], [status(answer(1), answer(2))])
    assert [s.time_ns for s in server.sent] == [1, 2]


def test_a_worker_that_is_gone_is_forgotten() -> None:
    async def tell() -> None:
        telling = Telling(Server().send)
        for pid in range(50):
            await telling.tell([status(verdict(1), pid=pid)])
        assert len(telling._told_ns) == 2

    asyncio.run(tell())
