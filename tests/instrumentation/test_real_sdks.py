"""The SDKs of OpenAI and Anthropic, as others instrument them, over the official exporters, to a real receiver.

Whoever reports it, the same conversation must arrive as the same calls.
"""

import contextlib
import functools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from holdfast.core.call import Call, Kind, Message, Status, ToolCall
from holdfast.core.trace import Trace
from holdfast.ingest.assemble import Assembler, AssemblyPolicy
from holdfast.ingest.record import MessageRecord, Record
from holdfast.testing.model_server import Reply, ScriptedModelServer
from tests.ingest.receivers import config, records, running
from tests.instrumentation.app import FOLLOW_UP, QUESTION, SYSTEM, TOOL_RESULT

APP = Path(__file__).with_name("app.py")
TRACK = ToolCall("track", '{"parcel": 77}', "call_1")
TRACK_AGAIN = ToolCall("track", '{"parcel": 78}', "call_2")
MODEL = "small-1-2026-10"
REPLIES = (
    Reply(
        tool_calls=(TRACK,), finish_reason="tool_calls", model=MODEL, id="r1", input_tokens=50, output_tokens=9, cached_tokens=16
    ),
    Reply(text="It is in Lyon.", model=MODEL, id="r2", input_tokens=80, output_tokens=6, logprobs=(-0.1, -0.2, -0.3, -0.4)),
    Reply(text="It arrives on Tuesday.", finish_reason="length", model=MODEL, id="r3", input_tokens=30, output_tokens=5),
    Reply(tool_calls=(TRACK_AGAIN,), finish_reason="tool_calls", model=MODEL, id="r4", input_tokens=33, output_tokens=8),
    Reply(status=429, text="slow down"),
    Reply(model="embed-1-2026-10", input_tokens=4),
)
CASES = [
    ("openinference", "openai"),
    ("openinference", "anthropic"),
    ("openllmetry", "openai"),
    ("openllmetry", "anthropic"),
    ("otel_genai", "openai"),
    ("otel_genai", "anthropic"),
    ("otel_genai_events", "openai"),
    ("otel_genai_events", "anthropic"),
]
FINISHED = {
    "tool": {"tool_calls", "tool_call", "tool_use"},
    "stop": {"stop", "end_turn"},
    "length": {"length", "max_tokens"},
}
"""The same reason in OpenAI's, in Anthropic's and in OpenTelemetry's words, each as the instrumentation reports it."""

Case = tuple[str, str]


@functools.cache
def records_of(case: Case) -> dict[str, list[Record]]:
    """What arrives by each transport when the assistant runs so."""
    with tempfile.TemporaryDirectory() as folder, ScriptedModelServer(REPLIES) as model, contextlib.ExitStack() as stack:
        configured = {name: config(Path(folder, name), grpc_port=0) for name in ("http", "grpc", "json")}
        at = {name: stack.enter_context(running(c)).endpoints for name, c in configured.items()}
        command = [sys.executable, str(APP), *case, model.url, at["http"].http_url, at["grpc"].grpc_target, at["json"].http_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
        return {name: records(c) for name, c in configured.items()}


def trace_of(arrived: list[Record]) -> Trace:
    """The one trace that these records make."""
    assembler = Assembler(AssemblyPolicy(), lambda _: "und")
    for record in arrived:
        if isinstance(record, Call):
            assembler.add(record, 0)
        elif isinstance(record, MessageRecord):
            assembler.attach(record, 0)
    (trace,) = assembler.flush()
    return trace


@pytest.fixture(params=CASES, ids=["-".join(case) for case in CASES], scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def trace(case: Case) -> Trace:
    return trace_of(records_of(case)["http"])


@pytest.fixture
def chats(trace: Trace) -> tuple[Call, ...]:
    return trace.llm_calls


def spoken(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in messages if m.content]


def instructions(call: Call) -> str:
    return call.system_instructions or "".join(m.content for m in call.input_messages if m.role == "system")


def asked(call: Call) -> list[tuple[str, str]]:
    return [said for said in spoken(call.input_messages) if said[0] != "system"]


def requested(messages: tuple[Message, ...]) -> list[tuple[str, object, str]]:
    return [(c.name, json.loads(c.arguments), c.id) for m in messages for c in m.tool_calls]


def test_every_step_arrives_once_with_its_kind(case: Case, trace: Trace) -> None:
    kinds = [call.kind for call in trace.calls]
    assert kinds.count(Kind.LLM) == 5
    assert kinds.count(Kind.TOOL) == 1
    assert kinds.count(Kind.EMBEDDING) == (1 if case[1] == "openai" else 0)
    assert len(kinds) == len(set(call.key for call in trace.calls)) == (8 if case[1] == "openai" else 7)


def test_every_step_hangs_below_the_request(trace: Trace) -> None:
    assert trace.root.name == "POST /chat"
    assert {call.parent_span_id for call in trace.calls if call is not trace.root} == {trace.root.span_id}
    assert all(trace.root.start_ns <= call.start_ns <= call.end_ns <= trace.root.end_ns for call in trace.calls)


def test_they_belong_to_the_application_and_its_route(trace: Trace) -> None:
    assert trace.service == "support"
    assert all(call.dimensions["route"] == ("/chat",) for call in trace.calls)


def test_the_model_that_was_asked_and_the_one_that_answered_are_told_apart(case: Case, chats: tuple[Call, ...]) -> None:
    assert [call.request_model for call in chats] == ["small-1"] * 5
    assert [call.response_model for call in chats[:4]] == [MODEL] * 4
    assert {call.provider for call in chats} == {case[1]}


def test_tokens_are_counted_with_the_cached_ones(case: Case, chats: tuple[Call, ...]) -> None:
    usage = [call.usage for call in chats[:4]]
    assert [u.input_tokens for u in usage] == [50, 80, 30, 33]
    # OpenLLMetry adds the first event's count to the final one when it reads Anthropic's stream.
    extra = 1 if case == ("openllmetry", "anthropic") else 0
    assert [u.output_tokens for u in usage] == [9, 6, 5 + extra, 8 + extra]
    assert usage[0].cache_read_tokens == 16


def test_what_was_said_arrives_in_order(chats: tuple[Call, ...]) -> None:
    assert {instructions(call) for call in chats} == {SYSTEM}
    assert asked(chats[0]) == [("user", QUESTION)]
    assert asked(chats[1]) == [("user", QUESTION), ("tool", TOOL_RESULT)]
    assert asked(chats[2]) == asked(chats[3]) == asked(chats[4]) == [("user", FOLLOW_UP)]
    assert [call.answer for call in chats] == ["", "It is in Lyon.", "It arrives on Tuesday.", "", ""]


def test_tool_calls_arrive_whole_also_from_a_stream(chats: tuple[Call, ...]) -> None:
    assert requested(chats[0].output_messages) == [("track", {"parcel": 77}, "call_1")]
    assert requested(chats[1].input_messages) == [("track", {"parcel": 77}, "call_1")]
    assert requested(chats[3].output_messages) == [("track", {"parcel": 78}, "call_2")]
    assert [m.tool_call_id for m in chats[1].input_messages if m.role == "tool"] == ["call_1"]


def test_the_tools_that_were_offered_are_known(chats: tuple[Call, ...]) -> None:
    assert [call.tool_definitions for call in chats] == [("track",), ("track",), (), ("track",), ()]


def test_the_tool_that_ran_is_known_with_its_arguments_and_result(trace: Trace) -> None:
    (tool,) = trace.of_kind(Kind.TOOL)
    assert (tool.tool_name, json.loads(tool.tool_arguments), tool.tool_result) == ("track", {"parcel": 77}, TOOL_RESULT)


def test_why_the_model_stopped_is_known(chats: tuple[Call, ...]) -> None:
    for call, reason in zip(chats, ("tool", "stop", "length", "tool"), strict=False):
        assert len(call.finish_reasons) == 1
        assert call.finish_reasons[0] in FINISHED[reason]


def test_a_refused_request_is_an_error_with_its_type(chats: tuple[Call, ...]) -> None:
    assert [call.status is Status.ERROR for call in chats] == [False] * 4 + [True]
    assert chats[4].error_type.endswith("RateLimitError")
    assert "slow down" in chats[4].error_message


def test_parameters_are_those_of_the_request(chats: tuple[Call, ...]) -> None:
    assert int(chats[0].parameters["max_tokens"]) == 200


def test_it_is_told_who_said_so(case: Case, chats: tuple[Call, ...]) -> None:
    expected = "openinference" if case[0] == "openinference" else "otel_genai"
    assert {call.convention for call in chats} == {expected}
    assert all(call.scope and call.mapper_version for call in chats)


def test_the_embedding_has_its_model_and_tokens(trace: Trace) -> None:
    for call in trace.of_kind(Kind.EMBEDDING):
        assert (call.request_model, call.response_model, call.usage.input_tokens) == ("embed-1", "embed-1-2026-10", 4)


def test_the_id_of_the_answer_is_known_so_that_evaluations_find_it(chats: tuple[Call, ...]) -> None:
    assert [call.response_id for call in chats[:4]] == ["r1", "r2", "r3", "r4"]


def test_confidence_is_what_the_log_probabilities_say_and_unknown_without(case: Case, chats: tuple[Call, ...]) -> None:
    told = case == ("openinference", "openai")  # nobody else records them
    assert chats[1].mean_logprob == (pytest.approx(-0.25) if told else None)
    assert chats[0].mean_logprob is None


@pytest.mark.parametrize("transport", ["grpc", "json"])
def test_the_transport_changes_nothing(case: Case, transport: str) -> None:
    def calls(name: str) -> list[Call]:
        return sorted((r for r in records_of(case)[name] if isinstance(r, Call)), key=lambda call: call.span_id)

    assert calls(transport) == calls("http")
