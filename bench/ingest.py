"""How fast telemetry is taken, how long an acknowledgement takes, and how much of what was acknowledged survives kill -9.

    python -m bench.ingest [--seconds 10] [--phoenix] [--url URL --pid PID --api URL --token T]

Sends unique LLM spans of about 2.3 kB over OTLP/HTTP as protobuf: as fast as they are taken, then 1,000 a second, then as fast
as they are taken until the receiver is killed. `--phoenix` does the same to Arize Phoenix, installed from PyPI into a virtual
environment in a temporary directory. `--url` sends to a server that runs already (such as `holdfast server`), without killing it;
with `--api`, that server's own counter tells how many records went through the whole pipeline, until none was left.
"""

import argparse
import http.client
import json
import math
import os
import random
import secrets
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.request
import venv
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from holdfast.core.call import Call
from holdfast.ingest.journal import JournalReader, Position
from holdfast.ingest.process import ReceiverProcess
from holdfast.ingest.receiver import ReceiverConfig

SENTENCE = "the refund for your order was sent on monday and we have told the customer when the money arrives in a short mail"
WORDS = SENTENCE.split()
VARIED = "qqqqqqqqqq"
SENDERS = 4
PACED_SPANS_PER_S = 1000
PACED_BATCH = 50


class Target(Protocol):
    """Something that takes OTLP and can be killed."""

    name: str
    url: str

    def pid(self) -> int:
        """Of its process."""
        ...

    def stored(self) -> set[bytes]:
        """Ids of the spans that it has stored."""
        ...

    def kill(self) -> None:
        """End it with SIGKILL."""
        ...


class Template:
    """A request of `spans` spans of which every sending has new ids and new text."""

    def __init__(self, spans: int, seed: int) -> None:
        self.spans = spans
        self._random = random.Random(seed)
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = "support"
        scope = group.scope_spans.add()
        ids = [(self._random.randbytes(16), self._random.randbytes(8)) for _ in range(spans)]
        for trace_id, span_id in ids:
            span = scope.spans.add(trace_id=trace_id, span_id=span_id, name="chat gpt-4o", kind=3)
            span.start_time_unix_nano = time.time_ns()
            span.end_time_unix_nano = span.start_time_unix_nano + 10**9
            for key, value in self._attributes().items():
                attribute = span.attributes.add(key=key).value
                if isinstance(value, str):
                    attribute.string_value = value
                elif isinstance(value, int):
                    attribute.int_value = value
                else:
                    attribute.double_value = value
        self.body = request.SerializeToString()
        self._ids: list[tuple[int, int]] = []
        at = 0
        for trace_id, span_id in ids:
            at = self.body.index(trace_id, at)
            self._ids.append((at, self.body.index(span_id, at)))
        self._texts = _places(self.body, VARIED.encode())

    def _text(self, words: int) -> str:
        return " ".join(self._random.choices(WORDS, k=words))

    def _attributes(self) -> dict[str, str | int | float]:
        system = "You are the support assistant of a shop. " + " ".join(WORDS * 3)
        asked = [
            {"role": "system", "parts": [{"type": "text", "content": system}]},
            {"role": "user", "parts": [{"type": "text", "content": f"{VARIED} {self._text(110)}"}]},
        ]
        said = [
            {"role": "assistant", "parts": [{"type": "text", "content": f"{VARIED} {self._text(90)}"}], "finish_reason": "stop"}
        ]
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.usage.input_tokens": 412,
            "gen_ai.usage.output_tokens": 88,
            "gen_ai.response.id": f"chatcmpl-{VARIED}",
            "gen_ai.input.messages": json.dumps(asked),
            "gen_ai.output.messages": json.dumps(said),
            "http.route": "/chat",
            "user.id": f"customer {VARIED}",
        }

    def new(self) -> tuple[bytes, list[bytes]]:
        """A body and the ids of its spans."""
        body = bytearray(self.body)
        fresh = secrets.token_bytes(24 * self.spans)
        sent: list[bytes] = []
        for number, (trace_at, span_at) in enumerate(self._ids):
            part = fresh[24 * number : 24 * number + 24]
            body[trace_at : trace_at + 16] = part[:16]
            body[span_at : span_at + 8] = part[16:]
            sent.append(part[16:])
        varied = "".join(random.choices("abcdefghijklmnop", k=len(VARIED))).encode()
        for at in self._texts:
            body[at : at + len(VARIED)] = varied
        return bytes(body), sent


def _places(body: bytes, what: bytes) -> list[int]:
    found, at = [], body.find(what)
    while at >= 0:
        found.append(at)
        at = body.find(what, at + 1)
    return found


class Run(NamedTuple):
    """What one phase of sending saw."""

    acknowledged: list[bytes]
    latencies_s: list[float]
    refused: int
    seconds: float


def send(url: str, seconds: float, senders: int, batch: int, spans_per_s: float = math.inf, at_most: int = 10**9) -> Run:
    """Send until `seconds` are over, `at_most` spans are sent, or the receiver is gone."""
    parts = urlsplit(url)
    acknowledged: list[bytes] = []
    latencies: list[float] = []
    refused = [0]
    templates = [Template(batch, seed) for seed in range(senders)]
    begin = time.perf_counter()

    def one(template: Template) -> None:
        sent = 0
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as connection:
            while (now := time.perf_counter()) < begin + seconds and sent * senders < at_most:
                if (early := begin + sent * senders / spans_per_s - now) > 0:
                    time.sleep(early)
                body, ids = template.new()
                sent += batch
                started = time.perf_counter()
                try:
                    connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
                    response = connection.getresponse()
                    response.read()
                except (OSError, http.client.HTTPException):
                    return
                if response.status == 200:
                    latencies.append(time.perf_counter() - started)
                    acknowledged.extend(ids)
                else:
                    refused[0] += 1
                    time.sleep(0.2)

    threads = [threading.Thread(target=one, args=(template,)) for template in templates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Run(acknowledged, latencies, refused[0], time.perf_counter() - begin)


class OwnReceiver:
    """Holdfast's receiver, with a reader that takes the records over as a pipeline does."""

    name = "holdfast receiver"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process = ReceiverProcess(ReceiverConfig(directory=directory, http_port=0, grpc_port=None, redaction_key=b"x" * 16))
        self.url = self._process.endpoints.http_url
        self._reader = get_context("spawn").Process(target=_take_over, args=(directory,), daemon=True)
        self._reader.start()

    def pid(self) -> int:
        """Of the receiver."""
        return self._process.pid

    def stored(self) -> set[bytes]:
        """What was taken over, and what the journal still holds."""
        kept = set(_ids_in(self._directory / "taken"))
        with JournalReader(self._directory) as reader:
            while records := reader.read(timeout=0):
                kept.update(bytes.fromhex(r.span_id) for _, r in records if isinstance(r, Call))
        return kept

    def kill(self) -> None:
        """Receiver and reader."""
        self._process.kill()
        self._reader.kill()
        self._reader.join()


def _take_over(directory: Path) -> None:
    """Write the ids of what was read to a file, durably, before it is committed."""
    with JournalReader(directory) as reader, (directory / "taken").open("ab") as file:
        while True:
            if records := reader.read(timeout=1.0):
                file.write(b"".join(bytes.fromhex(r.span_id) for _, r in records if isinstance(r, Call)))
                file.flush()
                os.fsync(file.fileno())
                position: Position = records[-1][0]
                reader.commit(position)


def _ids_in(path: Path) -> list[bytes]:
    data = path.read_bytes() if path.exists() else b""
    return [data[at : at + 8] for at in range(0, len(data), 8)]


class Phoenix:
    """Arize Phoenix with its SQLite store."""

    name = "arize phoenix"

    def __init__(self, python: Path, directory: Path) -> None:
        directory.mkdir()
        self._database = directory / "phoenix.db"
        port, grpc_port = _free_port(), _free_port()
        environment = os.environ | {
            "PHOENIX_WORKING_DIR": str(directory),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(grpc_port),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        self.url = f"http://127.0.0.1:{port}"
        log = (directory / "log").open("wb")
        command = [str(python), "-m", "phoenix.server.main", "serve"]
        self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        _wait_for(lambda: _answers(port), 120, f"Phoenix did not start, see {directory / 'log'}")

    def pid(self) -> int:
        """Of the receiver."""
        return self._process.pid

    def stored(self) -> set[bytes]:
        """What is in its database."""
        with closing(sqlite3.connect(self._database)) as database:
            return {bytes.fromhex(row[0]) for row in database.execute("SELECT span_id FROM spans")}

    def kill(self) -> None:
        """The server and what it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def install_phoenix(directory: Path) -> Path:
    """Its Python, in a new virtual environment."""
    venv.create(directory, with_pip=True)
    python = directory / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", "arize-phoenix"], check=True)
    return python


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
    except OSError:
        return False


def _wait_for(condition: Callable[[], bool], timeout_s: float, message: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(message)
        time.sleep(0.1)


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss_mb(pid: int) -> float:
    """Largest resident set of a process so far."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1000


def percentile(values: list[float], share: float) -> float:
    """`share` of `values` are not larger; NaN without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def report(name: str, what: str, run: Run, more: str = "") -> None:
    """One line for one phase."""
    p50, p99 = (1000 * percentile(run.latencies_s, share) for share in (0.5, 0.99))
    rate = len(run.acknowledged) / run.seconds
    figures = f"{rate:7.0f} spans/s acknowledged  ack p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  refused {run.refused}"
    print(f"{name:18} {what:10} {figures}{more}", flush=True)


def measure(target: Target, seconds: float, batch: int, spans: int) -> None:
    """Throughput and latency, and, of what was acknowledged when it is killed, how much is stored."""
    await_stored(target, send(target.url, 60.0, 1, batch, at_most=batch))
    cpu = cpu_seconds(target.pid())
    begin = time.monotonic()
    run = send(target.url, 60.0, SENDERS, batch, at_most=spans)
    cpu = cpu_seconds(target.pid()) - cpu
    report(target.name, "full speed", run, f"  {len(run.acknowledged) / cpu:.0f} spans per CPU second")
    stored, end = await_stored(target, run)
    seconds_to_store = end - begin
    rate = stored / seconds_to_store
    print(f"{target.name:18} stored     {rate:7.0f} spans/s: {stored} of {len(run.acknowledged)} in {seconds_to_store:.1f} s")
    run = send(target.url, seconds, 2, PACED_BATCH, PACED_SPANS_PER_S)
    report(target.name, "1,000/s", run)
    await_stored(target, run)
    print(f"{target.name:18} peak RSS {peak_rss_mb(target.pid()):.0f} MB")
    killer = threading.Timer(seconds, target.kill)
    killer.start()
    run = send(target.url, 10 * seconds, SENDERS, batch)
    killer.join()
    lost = len(set(run.acknowledged) - target.stored())
    print(
        f"{target.name:18} kill -9 under load, nothing waiting before: acknowledged {len(run.acknowledged)}, lost {lost}",
        flush=True,
    )


def await_stored(target: Target, run: Run, at_most_s: float = 300.0) -> tuple[int, float]:
    """Wait until all that was acknowledged is stored; how much was, and when (monotonic) the last of it."""
    sent = set(run.acknowledged)
    deadline = time.monotonic() + at_most_s
    while (stored := len(sent & target.stored())) < len(sent) and time.monotonic() < deadline:
        time.sleep(0.1)
    if stored < len(sent):
        print(f"{target.name:18} after {at_most_s:.0f} s {len(sent) - stored} spans were not yet stored")
    return stored, time.monotonic()


def through(api: str, token: str) -> float:
    """Records that have gone through the pipeline of the server whose API is at `api`."""
    request = urllib.request.Request(f"{api}/metrics", headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as response:
        lines = response.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith("holdfast_pipeline_records_total")).rpartition(" ")[2])


def sustained(url: str, api: str, token: str, seconds: float, batch: int) -> None:
    """As fast as they are taken, and then until the last of them has gone through the pipeline."""
    before, begin = through(api, token), time.monotonic()
    run = send(url, seconds, SENDERS, batch)
    report("server", "full speed", run)
    behind = len(run.acknowledged) - (through(api, token) - before)
    deadline, done = time.monotonic() + 600.0, 0.0
    while done < len(run.acknowledged) and time.monotonic() < deadline:
        time.sleep(0.25)
        done = through(api, token) - before
    took = time.monotonic() - begin
    waited = f"{behind:.0f} waited when sending ended"
    print(f"{'server':18} through    {done / took:7.0f} spans/s: {done:.0f} in {took:.1f} s, {waited}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each phase")
    parser.add_argument("--batch", type=int, default=200, help="spans in a request")
    parser.add_argument("--spans", type=int, default=20_000, help="spans of the phase at full speed")
    parser.add_argument("--phoenix", action="store_true", help="measure Arize Phoenix too (installs it)")
    parser.add_argument("--phoenix-python", type=Path, help="a Python that has arize-phoenix already")
    parser.add_argument("--url", help="send to this running server only")
    parser.add_argument("--pid", type=int, help="process of that server, for its memory")
    parser.add_argument("--api", help="API of that server, to count what has gone through its pipeline")
    parser.add_argument("--token", default="", help="API token of that server")
    chosen = parser.parse_args()
    print(f"{len(Template(100, 0).body) / 100:.0f} bytes a span, {chosen.batch} spans a request, {os.cpu_count()} cores")
    if chosen.url:
        if chosen.api:
            sustained(chosen.url, chosen.api, chosen.token, chosen.seconds, chosen.batch)
        else:
            report("server", "full speed", send(chosen.url, chosen.seconds, SENDERS, chosen.batch))
        report("server", "1,000/s", send(chosen.url, chosen.seconds, 2, PACED_BATCH, PACED_SPANS_PER_S))
        if chosen.pid:
            print(f"peak RSS {peak_rss_mb(chosen.pid):.0f} MB")
        return
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        measure(OwnReceiver(directory / "journal"), chosen.seconds, chosen.batch, chosen.spans)
        if chosen.phoenix or chosen.phoenix_python:
            python = chosen.phoenix_python or install_phoenix(directory / "venv")
            measure(Phoenix(python, directory / "phoenix"), chosen.seconds, chosen.batch, chosen.spans)


if __name__ == "__main__":
    main()
