"""Ending tasks."""

import asyncio

from holdfast.gateway.tasks import ended


def test_a_task_that_misses_its_first_cancellation_is_ended_by_the_second() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    async def run() -> tuple[bool, bool]:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        return await ended(task, patience_s=0.01), task.done()

    assert asyncio.run(run()) == (True, True)


def test_one_that_never_ends_is_told_and_not_waited_for() -> None:
    async def run() -> bool:
        free = asyncio.Event()

        async def immortal() -> None:
            while not free.is_set():
                try:
                    await asyncio.wait_for(free.wait(), 60)
                except asyncio.CancelledError:
                    continue

        task = asyncio.create_task(immortal())
        await asyncio.sleep(0)
        all_ended = await ended(task, patience_s=0.01)
        free.set()
        await asyncio.sleep(0)
        return all_ended

    assert not asyncio.run(run())


def test_what_a_task_raised_is_dropped() -> None:
    async def run() -> bool:
        async def broken() -> None:
            raise ValueError

        task = asyncio.create_task(broken())
        await asyncio.sleep(0)
        return await ended(task)

    assert asyncio.run(run())
