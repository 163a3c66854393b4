"""The demo's gateway: answers come through it, and its breaker is armed, trips and closes in plain words."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from holdfast.cli.demo import served_text
from holdfast.cli.demo_gateway import (
    BREAKER,
    CAREFUL,
    GUARD,
    MAIN,
    Containment,
    GatewayPath,
    Models,
    body_of,
    desired,
    quoted,
    route_of,
    said,
    with_answer,
)
from holdfast.control.snapshot import Snapshot
from holdfast.control.validate import problems
from holdfast.core.call import Call, Kind
from holdfast.drills.live import demo_scenario
from holdfast.drills.scenario import TraceSteps, generate
from holdfast.testing.gateway import GatewayProcess

Step = list[dict[str, Any]]


def traces(fault: str = "grounding_rule_dropped") -> list[TraceSteps]:
    scenario = msgspec.structs.replace(demo_scenario(fault), calls=120, hours=0.05, fault_at=0.4, delay_s=0.0)
    return [t for t in generate(scenario) if quoted(t)]


def answering(trace: TraceSteps) -> Call:
    return next(c for c in reversed(trace.calls) if c.kind is Kind.LLM and said(c))


@pytest.fixture
def models() -> Iterator[Models]:
    with Models() as found:
        yield found


def test_what_it_configures_makes_sense_armed_or_not(models: Models) -> None:
    for armed in (False, True):
        wanted = desired(models, ("chat", "orders"), armed=armed)
        assert problems(Snapshot(version=1, created_ns=0, desired=wanted)) == []
        assert bool(wanted.breakers) is armed


def test_a_request_carries_its_documents_where_a_guard_finds_them_and_nothing_empty() -> None:
    body = body_of(answering(traces()[0]))
    assert body["messages"][0]["role"] == "system"
    assert all(message["content"] for message in body["messages"])
    assert any("\n\nDocuments:\n" in body_of(answering(t))["messages"][0]["content"] for t in traces() if t.struck)


def test_another_answer_is_everywhere_where_the_old_one_went_on() -> None:
    trace = traces()[0]
    before = said(answering(trace))
    changed = with_answer(trace, answering(trace), "Something else.")
    assert said(answering(changed)) == "Something else."
    told = [(old.output_text, new.output_text) for old, new in zip(trace.calls, changed.calls, strict=True)]
    assert all(new == ("Something else." if old == before else old) for old, new in told)
    assert with_answer(trace, answering(trace), before) is trace


def test_a_gateway_that_does_not_answer_leaves_the_assistant_as_it_was_and_is_counted(models: Models) -> None:
    path = GatewayPath("http://127.0.0.1:9", models)
    trace = traces()[0]
    assert path(trace) is trace
    assert path.failed == 1
    assert served_text(path) == "nobody yet; 1 got no answer"
    path.close()


def test_an_answer_that_is_none_leaves_the_assistant_as_it_was(models: Models) -> None:
    # What the models do not know they refuse: asked without a gateway between, that is the answer.
    with Models() as strangers:
        path = GatewayPath(models.main.url, strangers)
        trace = traces()[0]
        assert path(trace) is trace
        assert path.failed == 1
        path.close()


def test_through_a_real_gateway_the_sick_cohort_moves_to_the_careful_model_and_nobody_else(tmp_path: Any, models: Models) -> None:
    with GatewayProcess(tmp_path, desired(models, ("chat",), armed=True)) as gateway:
        path = GatewayPath(gateway.url, models)
        found = traces()
        harmed = [t for t in found if t.struck]
        well = [t for t in found if not t.struck and answering(t).dimensions["prompt.version"] == ("chat-v7",)]
        for trace in (harmed * 5)[: BREAKER.min_count]:
            assert said(answering(path(trace))) == said(answering(trace))
        for _ in range(200):
            if said(answering(path(harmed[0]))) == quoted(harmed[0]):
                break
        assert path.served[("chat", CAREFUL)] == 1
        assert said(answering(path(well[0]))) == said(answering(well[0]))
        assert path.served[("chat", CAREFUL)] == 1
        assert path.failed == 0
        path.close()


# The story


def breaker(position: str, seen: int = 20, bad: int = 9, version: str = "chat-v8", target: str = MAIN) -> dict[str, Any]:
    dimensions = {"route": "chat", "prompt.version": version}
    return {"target": target, "dimensions": dimensions, "position": position, "seen": seen, "bad": bad}


class Told:
    """A containment whose breakers stand as `now` says."""

    def __init__(self) -> None:
        self.now: Step = []
        self.mended = 0
        self.lines: list[str] = []
        self.one = Containment(lambda: self.now, self._mend, self.lines.append)
        self.one.begin(100.0)

    def _mend(self) -> None:
        self.mended += 1

    def step(self, at_s: float, *now: dict[str, Any]) -> str:
        self.now = list(now)
        self.one.step(at_s)
        return self.lines[-1]


def test_it_tells_of_the_trip_the_fix_the_probes_and_the_close_in_this_order() -> None:
    told = Told()
    assert GUARD in told.lines[0]
    assert "open: main for route=chat, prompt.version=chat-v8: 9 of 20" in told.step(102, breaker("open"))
    told.step(103, breaker("open"))
    assert told.mended == 0
    assert "fix" in told.step(108, breaker("open"))
    assert "7 copies judged" in told.step(112, breaker("half_open", 7, 0))
    assert "closed by 20 judged probes" in told.step(114, breaker("closed"))
    assert (told.one.over, told.one.closed, told.mended) == (True, True, 1)


def test_a_breaker_that_is_not_told_of_any_more_has_not_closed() -> None:
    told = Told()
    told.step(102, breaker("open"))
    told.step(108)
    told.step(109)
    told.step(110, breaker("closed", version="chat-v7"), breaker("closed", target=CAREFUL))
    assert not told.one.over


def test_a_fault_that_the_guard_does_not_see_is_said_to_be_one() -> None:
    told = Told()
    told.step(110, breaker("closed"))
    assert not told.one.over
    assert "does not see this fault" in told.step(116, breaker("closed"))
    assert (told.one.over, told.one.closed, told.mended) == (True, False, 0)


def test_a_breaker_that_stays_open_is_not_called_closed() -> None:
    told = Told()
    told.step(102, breaker("open"))
    told.step(108, breaker("open"))
    assert "still not closed" in told.step(140, breaker("open"))
    assert (told.one.over, told.one.closed) == (True, False)


def test_routes_are_named_as_the_gateway_names_them() -> None:
    call = answering(traces()[0])
    assert route_of(call) == "chat"
    assert route_of(msgspec.structs.replace(call, dimensions={})) == "chat"
