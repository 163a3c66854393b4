"""How many requests the gateway serves, how much time it adds, and what that costs in processor time and memory.

    python -m bench.gateway [--seconds 5] [--workers 1] [--litellm VENV] [--portkey DIR]

The upstream is nginx, which answers every chat with the same completion; nginx as a proxy before itself is the floor. Each
candidate is put under load by wrk on 32 connections, one after the other in one run, every request with another text. Then come
500 requests a second on 16 connections, paced, directly and through the gateway, whole and streamed. `--litellm` names a virtual
environment with `litellm[proxy]`, `--portkey` a folder with `node_modules/@portkey-ai/gateway`. Needs nginx and wrk. Processor
time and memory of a candidate are those of all its processes; ours without the supervisor, which serves nobody.
"""

import argparse
import asyncio
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import httpx
import orjson

from holdfast.control.snapshot import BreakerRule, BreakerSignal, Desired, Guard, GuardMode, GuardPlace
from holdfast.testing.gateway import KEY, GatewayProcess, simple
from holdfast.testing.upstream import wait_until

CONNECTIONS = 32
RATE = 500
RATE_CONNECTIONS = 16
SYSTEM = "You are a helpful assistant of a shop. Answer politely and only from the documents."
QUESTION = "Where is my refund for order {n}? It has been two weeks since I sent the shoes back to you."
ANSWER = "Your refund was sent on Monday and should arrive within five business days. Is there anything else I can help you with?"
CHAT = "/v1/chat/completions"
LITELLM = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}
TICKS = os.sysconf("SC_CLK_TCK")
GUARDS = (
    ("injection", GuardPlace.INPUT, 0.9),
    ("sensitive_output", GuardPlace.OUTPUT, 0.8),
    ("canary_leak", GuardPlace.OUTPUT, 0.9),
    ("toxicity", GuardPlace.OUTPUT, 0.9),
)

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  upstream models {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{upstream};
    location / {{ default_type application/json; return 200 '{whole}'; }}
    location /stream/ {{ default_type text/event-stream; return 200 '{events}'; }}
  }}
  server {{ listen 127.0.0.1:{proxy};
    location / {{ proxy_pass http://models; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
"""
LUA = """
local n = 0
function request()
  n = n + 1
  return wrk.format("POST", nil, {headers}, '{before}' .. n .. '{after}')
end
"""


class Candidate(NamedTuple):
    """Something between client and model."""

    name: str
    url: str
    headers: dict[str, str]
    pids: Callable[[], list[int]]


class Figures(NamedTuple):
    """What was measured: milliseconds, microseconds of processor time a request, MiB."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    memory_mib: float
    errors: int


def request_body(n: int | str, stream: bool = False) -> bytes:
    """A chat of a system prompt and a question; `n` makes it unlike the others."""
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION.format(n=n)}]
    return orjson.dumps({"model": "gpt-4o-mini", "messages": messages, "temperature": 0.2} | ({"stream": True} if stream else {}))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], ready: Callable[[], bool], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 120
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start")
            time.sleep(0.2)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _answers(url: str, headers: dict[str, str]) -> bool:
    try:
        told = httpx.post(url + CHAT, content=request_body(0), headers=headers | {"content-type": "application/json"}, timeout=5)
    except httpx.TransportError:
        return False
    return told.status_code == 200


def family(pid: int) -> list[int]:
    """A process and all that came from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _cpu_s(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def _memory_mib(pids: list[int]) -> float:
    """Of all of them together; pages that several share count once."""
    told = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(int(_found(r"Pss:\s+(\d+) kB", text)) for text in told) / 1024


def under_load(one: Candidate, seconds: int, folder: Path) -> Figures:
    """Requests a second on 32 connections by wrk."""
    headers = {"content-type": "application/json"} | one.headers
    before, after = request_body("@").decode().split("@")
    table = "{" + ", ".join(f'["{k}"]="{v}"' for k, v in headers.items()) + "}"
    script = folder / "post.lua"
    script.write_text(LUA.format(headers=table, before=before, after=after))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency", "-s", str(script)]
    subprocess.run([*command, "-d1s", one.url + CHAT], capture_output=True, check=True)
    pids = one.pids()
    start = _cpu_s(pids)
    told = subprocess.run([*command, f"-d{seconds}s", one.url + CHAT], capture_output=True, check=True, text=True).stdout
    used = _cpu_s(pids) - start
    count = int(_found(r"(\d+) requests in", told))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    rate = float(_found(r"Requests/sec:\s+([\d.]+)", told))
    times = [_ms(_found(rf"{p}%\s+([\d.]+\w+)", told)) for p in (50, 99)]
    return Figures(rate, times[0], times[1], used / max(count, 1) * 1e6, _memory_mib(pids), int(bad[1]) if bad else 0)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"{pattern} is not in: {text}")
    return match[1]


def _ms(text: str) -> float:
    number, unit = float(re.sub(r"[a-z]+", "", text)), re.sub(r"[\d.]+", "", text)
    return number * {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}[unit]


async def paced(url: str, headers: dict[str, str], seconds: float, stream: bool = False) -> tuple[list[float], list[float]]:
    """(time to the first byte, time to the last) of each of 500 requests a second, in ms from the moment when each was due."""
    host, port = url.removeprefix("http://").split(":")
    first: list[float] = []
    whole: list[float] = []
    count = int(RATE * seconds)
    begin = time.perf_counter() + 0.1

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for n in range(number, count, RATE_CONNECTIONS):
            due = begin + n / RATE
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            data = request_body(n, stream)
            path = "/stream" + CHAT if stream and not headers else CHAT
            extra = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
            head = (
                f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{extra}content-length: {len(data)}\r\n\r\n"
            )
            start = time.perf_counter()
            writer.write(head.encode() + data)
            told = await reader.readuntil(b"\r\n\r\n")
            first.append((time.perf_counter() - start) * 1e3)
            await _rest(reader, told)
            whole.append((time.perf_counter() - start) * 1e3)
        writer.close()

    await asyncio.gather(*(client(n) for n in range(RATE_CONNECTIONS)))
    return first, whole


async def _rest(reader: asyncio.StreamReader, head: bytes) -> None:
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if length:
        await reader.readexactly(int(length[1]))
        return
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


def _centile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def desired(upstream: str, mode: GuardMode | None) -> Desired:
    """With guards in a mode (None: without), and breakers on transport, latency and quality."""
    guards = () if mode is None else tuple(Guard(name=k, kind=k, place=p, mode=mode, threshold=t) for k, p, t in GUARDS)
    rules: tuple[BreakerRule, ...] = (
        BreakerRule(name="transport", signal=BreakerSignal.TRANSPORT),
        BreakerRule(name="latency", signal=BreakerSignal.LATENCY, limit=10.0),
    )
    if guards:
        rules += (BreakerRule(name="quality", signal=BreakerSignal.QUALITY, dimensions=("tenant",), guard="toxicity"),)
    return simple(upstream, guards=guards, breakers=rules)


@contextmanager
def _ours(folder: Path, upstream: str, mode: GuardMode | None, workers: int) -> Iterator[Candidate]:
    directory = folder / f"holdfast-{mode or 'none'}"
    directory.mkdir()
    with GatewayProcess(directory, desired(upstream, mode), workers=workers) as gateway:
        if mode is not None:
            wait_until(lambda: all(status.guard_process for status in gateway.statuses()), timeout_s=60)
        name = f"holdfast, guards {mode.value if mode else 'none'}"
        yield Candidate(name, gateway.url, {"authorization": f"Bearer {KEY}"}, lambda: _workers(gateway))


def _workers(gateway: GatewayProcess) -> list[int]:
    """The workers and their guard processes."""
    return [pid for worker in gateway.worker_pids() for pid in family(worker)]


@contextmanager
def _litellm(folder: Path, upstream: str, venv: Path) -> Iterator[Candidate]:
    port = _free_port()
    config = folder / "litellm.yaml"
    model = f"{{model: openai/gpt-4o-mini, api_base: {upstream}/v1, api_key: sk-none}}"
    config.write_text(f"model_list:\n  - model_name: gpt-4o-mini\n    litellm_params: {model}\n")
    url = f"http://127.0.0.1:{port}"
    command = [str(venv / "bin/litellm"), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    with _running(command, lambda: _answers(url, {}), **LITELLM) as process:
        yield Candidate("LiteLLM proxy", url, {}, lambda: family(process.pid))


@contextmanager
def _portkey(upstream: str, folder: Path) -> Iterator[Candidate]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{upstream}/v1", "authorization": "Bearer sk-none"}
    script = folder / "node_modules/@portkey-ai/gateway/build/start-server.js"
    with _running(["node", str(script), f"--port={port}", "--headless"], lambda: _answers(url, headers)) as process:
        yield Candidate("Portkey gateway", url, headers, lambda: family(process.pid))


def _events() -> str:
    frames = []
    for n, word in enumerate(ANSWER.replace("'", "").split(" ")):
        delta = {"content": word if n == 0 else f" {word}"}
        frames.append({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": delta}]})
    frames.append(
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "model": "m",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        }
    )
    return "".join(f"data: {orjson.dumps(f).decode()}\\n\\n" for f in frames) + "data: [DONE]\\n\\n"


def completion() -> str:
    """What the upstream answers."""
    message = {"role": "assistant", "content": ANSWER, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 42, "completion_tokens": 27, "total_tokens": 69}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1790000000, "model": "gpt-4o-mini"}
    return orjson.dumps(whole | {"choices": [choice], "usage": usage}).decode()


@contextmanager
def _nginx(folder: Path) -> Iterator[tuple[str, Candidate]]:
    upstream, proxy = _free_port(), _free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, upstream=upstream, proxy=proxy, whole=completion(), events=_events()))
    urls = [f"http://127.0.0.1:{port}" for port in (upstream, proxy)]
    with _running(["nginx", "-c", str(config)], lambda: _answers(urls[1], {})) as process:
        yield urls[0], Candidate("nginx proxy", urls[1], {}, lambda: family(process.pid))


def _measure_load(candidates: list[AbstractContextManager[Candidate]], arguments: argparse.Namespace, folder: Path) -> None:
    print(f"{'at concurrency 32':28}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}{'MiB':>7}{'errors':>8}{'load':>7}")
    for candidate in candidates:
        with candidate as one:
            f = under_load(one, arguments.seconds, folder)
            load = os.getloadavg()[0]
            print(
                f"{one.name:28}{f.rate:11.0f}{f.p50_ms:9.2f}{f.p99_ms:9.2f}{f.cpu_us:9.0f}{f.memory_mib:7.0f}{f.errors:8}{load:7.1f}"
            )


def _measure_latency(upstream: str, arguments: argparse.Namespace, folder: Path) -> None:
    print(f"\n{'at 500 requests/s':28}{'p50 ms':>9}{'p99 ms':>9}{'TTFT p50':>10}{'TTFT p99':>10}{'load':>7}")
    direct = Candidate("direct", upstream, {}, lambda: [])
    _paced_line(direct, direct, arguments.seconds)
    for mode in (None, GuardMode.SHADOW, GuardMode.ENFORCE):
        with ExitStack() as stack:
            both = []
            for kind, base in (("whole", upstream), ("stream", f"{upstream}/stream")):
                place = folder / f"{kind}-{mode}"
                place.mkdir()
                both.append(stack.enter_context(_ours(place, base, mode, arguments.workers)))
            _paced_line(both[0], both[1], arguments.seconds)
    _paced_line(direct, direct, arguments.seconds)


def _paced_line(whole: Candidate, streamed: Candidate, seconds: float) -> None:
    _, times = asyncio.run(paced(whole.url, whole.headers, seconds))
    first, _ = asyncio.run(paced(streamed.url, streamed.headers, seconds, stream=True))
    figures = [_centile(times, 0.5), _centile(times, 0.99), _centile(first, 0.5), _centile(first, 0.99)]
    print(f"{whole.name:28}{figures[0]:9.2f}{figures[1]:9.2f}{figures[2]:10.2f}{figures[3]:10.2f}{os.getloadavg()[0]:7.1f}")


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--litellm", type=Path)
    parser.add_argument("--portkey", type=Path)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream, floor = stack.enter_context(_nginx(folder))

        modes = (None, GuardMode.SHADOW, GuardMode.ENFORCE)
        candidates: list[AbstractContextManager[Candidate]] = [nullcontext(floor)]
        candidates += [_ours(folder, upstream, mode, arguments.workers) for mode in modes]
        if arguments.portkey:
            candidates.append(_portkey(upstream, arguments.portkey))
        if arguments.litellm:
            candidates.append(_litellm(folder, upstream, arguments.litellm))
        _measure_load(candidates, arguments, folder)
        _measure_latency(upstream, arguments, folder)


if __name__ == "__main__":
    _main()
