"""The gateway of the demo: answers come through it, from a main model and, where that is sick, from a careful one.

The models are scripted: the main one says what the scenario says, the careful one quotes the first article. Everything between
them and the assistant is real: `holdfast gateway` in a process of its own, which follows the demo's server.
"""

import subprocess
import sys
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec
from rich.markup import escape

from holdfast.control.snapshot import BreakerRule, BreakerSignal, Desired, Guard, GuardPlace, Route, Target, WeightedTarget
from holdfast.core.call import Call, Kind, Message
from holdfast.drills.scenario import TraceSteps
from holdfast.testing.model_server import Asked, Reply, ScriptedModelServer

Breakers = Callable[[], list[dict[str, Any]]]
MAIN, CAREFUL = "main", "careful"
GUARD, RULE = "groundedness", "quality"
DIMENSIONS = ("route", "prompt.version")
MAX_KNOWN = 2_000
CALL_S = 3.0
BREAKER = BreakerRule(
    name=RULE,
    signal=BreakerSignal.QUALITY,
    dimensions=DIMENSIONS,
    guard=GUARD,
    min_count=20,
    window_s=10,
    open_at=0.3,
    close_at=0.15,
    cool_s=3,
    probes=20,
)
"""Of healthy answers its guard objects to one in twenty, of those of a plain fault to over a third."""

_HEADERS = {"tenant": "x-holdfast-tenant", "prompt.version": "x-holdfast-prompt-version", "user": "x-holdfast-user"}


class _Script(msgspec.Struct, frozen=True):
    """What each model says to one request: the main one now, the main one when it is mended, the careful one."""

    now: str
    mended: str
    careful: str


class Models:
    """The two models, on loopback. `mended`: from then on the main one answers as it did before the fault."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Script] = OrderedDict()
        self.mended = False
        self.main = ScriptedModelServer(lambda asked: self._reply(asked, careful=False))
        self.careful = ScriptedModelServer(lambda asked: self._reply(asked, careful=True))

    def learn(self, request: str, script: _Script) -> None:
        """What is to be said to this request; the latest are kept."""
        with self._lock:
            self._known[request] = script
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)

    def _reply(self, asked: Asked, *, careful: bool) -> Reply:
        with self._lock:
            script = self._known.get(str((asked.body.get("metadata") or {}).get("request", "")))
        if script is None:
            return Reply(status=503, text="this request is not part of the demo")
        return Reply(text=script.careful if careful else script.mended if self.mended else script.now)

    def __enter__(self) -> Self:
        self.main.__enter__()
        self.careful.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.main.__exit__()
        self.careful.__exit__()


class GatewayPath:
    """Sends the answering model call of each request through the gateway at `url`, and puts what came back into the trace.

    `served` counts answers by route and target; `failed` the calls that got none and kept the scenario's words.
    """

    def __init__(self, url: str, models: Models) -> None:
        self._client = httpx.Client(base_url=url, timeout=CALL_S)
        self._models = models
        self.served: Counter[tuple[str, str]] = Counter()
        self.failed = 0

    def __call__(self, trace: TraceSteps) -> TraceSteps:
        """The trace as it is when the gateway has had its say."""
        call = next((c for c in reversed(trace.calls) if c.kind is Kind.LLM and said(c)), None)
        if call is None:
            return trace
        careful = quoted(trace) or said(call)
        mended = careful if trace.struck else said(call)
        self._models.learn(call.span_id, _Script(said(call), mended, careful))
        try:
            answer = self._client.post("/v1/chat/completions", json=body_of(call), headers=headers_of(call)).raise_for_status()
            text = str(answer.json()["choices"][0]["message"]["content"])
        except (httpx.HTTPError, ValueError, LookupError, TypeError):
            self.failed += 1
            return trace
        self.served[route_of(call), answer.headers.get("x-holdfast-target", "")] += 1
        return with_answer(trace, call, text)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()


def said(call: Call) -> str:
    """What a model call answered in words."""
    return call.output_messages[-1].content if call.output_messages else ""


def quoted(trace: TraceSteps) -> str:
    """The first retrieved article, as an answer; empty where nothing was retrieved."""
    document = next((d for c in trace.calls for d in c.documents if d.content), None)
    if document is None:
        return ""
    title, _, text = document.content.partition(". ")
    return f"{text} (Source: {title})" if text else title


def route_of(call: Call) -> str:
    """Name of the gateway's route for the application's."""
    return call.dimensions.get("route", ("",))[0].strip("/") or "chat"


def headers_of(call: Call) -> dict[str, str]:
    """What the application tells the gateway of itself."""
    told = {header: call.dimensions[name][0] for name, header in _HEADERS.items() if name in call.dimensions}
    return told | {"x-holdfast-route": route_of(call)}


def body_of(call: Call) -> dict[str, Any]:
    """The request as the application makes it. What follows the word "Documents:" is what answers may rest on."""
    system = call.system_instructions.replace("\n\nArticles:\n", "\n\nDocuments:\n")
    messages = [{"role": m.role, "content": m.content} for m in (Message("system", system), *call.input_messages) if m.content]
    return {"model": call.request_model or "gpt-4.1", "messages": messages, "metadata": {"request": call.span_id}}


def with_answer(trace: TraceSteps, call: Call, text: str) -> TraceSteps:
    """The trace with another answer of `call`, wherever that went on unchanged."""
    before = said(call)
    if text == before:
        return trace
    answer = msgspec.structs.replace(call.output_messages[-1], content=text)

    def changed(one: Call) -> Call:
        if one is call:
            return msgspec.structs.replace(one, output_messages=(*one.output_messages[:-1], answer))
        given, told = (text if value == before else value for value in (one.input_text, one.output_text))
        return msgspec.structs.replace(one, input_text=given, output_text=told)

    return msgspec.structs.replace(trace, calls=tuple(changed(one) for one in trace.calls))


def desired(models: Models, routes: tuple[str, ...], *, armed: bool = False) -> Desired:
    """The demo's configuration: every route has the main model first and the careful one behind; `armed` adds the breaker."""
    to = (WeightedTarget(target=MAIN), WeightedTarget(target=CAREFUL, order=1))
    return Desired(
        targets=(Target(name=MAIN, base_url=models.main.url), Target(name=CAREFUL, base_url=models.careful.url)),
        routes=tuple(Route(name=name, targets=to) for name in routes),
        guards=(Guard(name=GUARD, kind=GUARD, place=GuardPlace.OUTPUT, threshold=0.6),),
        breakers=(BREAKER,) if armed else (),
    )


class Plane:
    """The control plane of the demo's server."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def configure(self, wanted: Desired, reason: str) -> None:
        """Put a configuration in place of the one that is there."""
        tag = self._client.get("/api/v1/control/snapshot").raise_for_status().headers["etag"]
        body = {"desired": msgspec.to_builtins(wanted), "reason": reason}
        self._client.put("/api/v1/control/desired", json=body, headers={"if-match": tag}).raise_for_status()

    def breakers(self) -> list[dict[str, Any]]:
        """The breakers on quality, as the gateways last told of them."""
        known = self._client.get("/api/v1/control/gateways").raise_for_status().json()
        return [one for gateway in known for one in gateway["report"]["breakers"] if one["rule"] == RULE]


def _name(breaker: dict[str, Any]) -> str:
    cohort = ", ".join(f"{name}={value}" for name, value in breaker["dimensions"].items())
    return f"{breaker['target']} for {cohort}"


@contextmanager
def gateway(folder: Path, environment: dict[str, str], port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """`holdfast gateway` for the server of the same environment. The assistant tells of its calls itself."""
    with (folder / "gateway.log").open("wb") as log:
        command = [sys.executable, "-m", "holdfast", "gateway", "--port", str(port)]
        given = {**environment, "HOLDFAST_GATEWAY__OTLP_URL": "", "HOLDFAST_GATEWAY__DRAIN_S": "1"}
        process = subprocess.Popen(command, env=given, cwd=folder, stdout=log, stderr=log)  # noqa: S603 - our own program
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


class Containment:
    """What happens at the gateway once the incident is understood, step by step, from what the server shows.

    Args:
        breakers: reads the breakers on quality.
        mend: puts the main model right.
        say: tells people; called once a line.
    """

    PATIENCE_S = 15.0
    SICK_S = 5.0
    CLOSE_S = 30.0

    def __init__(self, breakers: Breakers, mend: Callable[[], None], say: Callable[[str], None]) -> None:
        self._breakers, self._mend, self._say = breakers, mend, say
        self._phase, self._since_s = "armed", 0.0
        self._tripped: set[str] = set()
        self.over = self.closed = False

    def begin(self, now_s: float) -> None:
        """The breaker was armed."""
        self._since_s = now_s
        self._say(f"[cyan]contain[/]   a breaker on quality is armed: guard {GUARD}, per {' and '.join(DIMENSIONS)}")

    def step(self, now_s: float) -> None:
        """Look, and tell what is new."""
        waited_s = now_s - self._since_s
        if self._phase == "armed":
            self._await_trip(waited_s, now_s)
        elif self._phase == "open" and waited_s >= self.SICK_S:
            self._mend()
            self._enter("mended", now_s)
            self._say("[cyan]fix[/]       the prompt is put right; before a user sees it, copies of requests are judged")
        elif self._phase == "mended":
            self._await_close(waited_s)

    def _await_trip(self, waited_s: float, now_s: float) -> None:
        opened = [one for one in self._breakers() if one["position"] != "closed"]
        for one in opened:
            bad = f"{one['bad']} of {one['seen']} answers were bad"
            self._say(f"[bold red]breaker[/]   open: {escape(_name(one))}: {bad}")
        if opened:
            self._tripped = {_name(one) for one in opened}
            self._enter("open", now_s)
        elif waited_s > self.PATIENCE_S:
            self._say(f"[yellow]contain[/]   the guard {GUARD} does not see this fault: no breaker trips, nothing is rerouted")
            self.over = True

    def _await_close(self, waited_s: float) -> None:
        for one in (b for b in self._breakers() if b["position"] == "half_open" and b["seen"]):
            self._say(f"[cyan]probe[/]     {one['seen']} copies judged of {escape(_name(one))}, {one['bad']} of them bad")
        closed = {_name(one) for one in self._breakers() if one["position"] == "closed"}
        if self._tripped <= closed:
            self._say(f"[green]breaker[/]   closed by {BREAKER.probes} judged probes; {MAIN} answers everybody again")
            self.closed = self.over = True
        elif waited_s > self.CLOSE_S:
            self._say(f"[yellow]breaker[/]   still not closed: its probes were not good enough yet, {CAREFUL} goes on answering")
            self.over = True

    def _enter(self, phase: str, now_s: float) -> None:
        self._phase, self._since_s = phase, now_s
