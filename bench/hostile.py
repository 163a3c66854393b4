"""Memory and time of the receiver against hostile bodies: `python -m bench.hostile`.

For each kind of body: one request, and eight at once, against a fresh receiver process; its highest resident memory, the
answers, and how long until the last of them. Words on the command line
choose the kinds that hold one of them.
"""

import gzip
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from holdfast.ingest.journal import JournalLimits
from holdfast.ingest.process import ReceiverProcess
from holdfast.ingest.receiver import ReceiverConfig

MIB = 2**20
FULL = 64 * MIB - 4096
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}
NOW_NS = time.time_ns()


def varint(value: int) -> bytes:
    """`value` as protobuf writes it."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes((value,))


def field(number: int, data: bytes) -> bytes:
    """Field `number` that holds `data`."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def request(spans: bytes, resource: bytes = b"") -> bytes:
    """An export request with the fields of a scope `spans`."""
    return field(1, field(1, resource) + field(2, spans))


def head(number: int = 1) -> bytes:
    """The fields that a span must have."""
    span = Span(trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"), name="x")
    span.start_time_unix_nano = span.end_time_unix_nano = NOW_NS
    return span.SerializeToString()


def tiny_spans(count: int) -> bytes:
    """A request of `count` spans of 46 bytes."""
    return request(b"".join(field(2, head(n)) for n in range(1, count + 1)))


def one_span(inside: bytes) -> bytes:
    """A request of one span with the fields `inside`."""
    return request(field(2, head() + inside))


def attribute(key: bytes, value: bytes) -> bytes:
    """An attribute field of a span."""
    return field(9, field(1, key) + field(2, value))


def in_json(inside: bytes, opening: bytes = b'{"stringValue":"', closing: bytes = b'"}') -> bytes:
    """A JSON request of one span with one attribute."""
    start = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%032x","spanId":"%016x","startTimeUnixNano":"%d",' % (
        1,
        1,
        NOW_NS,
    )
    return start + b'"attributes":[{"key":"gen_ai.input.messages","value":' + opening + inside + closing + b"}]}]}]}]}"


def bomb(size: int) -> bytes:
    """`size` zero bytes as gzip."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(MIB)
    return b"".join([*(packer.compress(zeros) for _ in range(size // MIB)), packer.flush()])


def deep(levels: int) -> bytes:
    """An AnyValue of lists in lists."""
    value = field(1, b"x")
    while levels:
        value = field(5, field(1, value))
        levels -= 1
    return value


TEXT = b"The refund was approved on Tuesday, order 4711, by mail to jane.doe@example.org. "
BODIES: dict[str, Callable[[], tuple[bytes, dict[str, str]]]] = {
    "100,000 tiny spans": lambda: (tiny_spans(100_000), PROTOBUF),
    "1,400,000 tiny spans (64 MiB)": lambda: (tiny_spans(1_300_000), PROTOBUF),
    "32M empty spans (64 MiB)": lambda: (request(b"\x12\x00" * (FULL // 2)), PROTOBUF),
    "1M attributes in one span": lambda: (
        one_span(b"".join(attribute(b"%d" % n, field(1, b"v")) for n in range(1_000_000))),
        PROTOBUF,
    ),
    "8M empty attributes, 16 MiB span": lambda: (one_span(b"\x4a\x00" * (8 * MIB - 4096)), PROTOBUF),
    "256 KiB spans of empty attributes, 64 MiB": lambda: (request(field(2, head() + b"\x5a\x00" * 131_000) * 255), PROTOBUF),
    "1 MiB resource, 90,000 tiny spans": lambda: (
        request(
            b"".join(field(2, head(n)) for n in range(1, 90_001)),
            field(1, field(1, b"k") + field(2, field(1, b"v" * (MIB - 100)))),
        ),
        PROTOBUF,
    ),
    "AnyValue 2,000 levels deep": lambda: (one_span(attribute(b"k", deep(2_000))), PROTOBUF),
    "one string of 60 MiB": lambda: (one_span(attribute(b"input.value", field(1, TEXT * (60 * MIB // len(TEXT))))), PROTOBUF),
    "4 strings of 15 MiB": lambda: (
        request(field(2, head() + attribute(b"input.value", field(1, TEXT * (15 * MIB // len(TEXT))))) * 4),
        PROTOBUF,
    ),
    "15 MiB of JSON lists in an attribute": lambda: (
        one_span(attribute(b"gen_ai.input.messages", field(1, b"[" + b"[]," * (5 * MIB - 4096) + b"[]]"))),
        PROTOBUF,
    ),
    "bytes that are not UTF-8, 64 MiB": lambda: (
        request(field(2, head() + attribute(b"k", field(1, b"\xff" * 15 * MIB))) * 4),
        PROTOBUF,
    ),
    "JSON: 64 MiB of {}": lambda: (b'{"resourceSpans":[' + b"{}," * (FULL // 3) + b"{}]}", JSON),
    'JSON: under the weight, {"":0}': lambda: (
        b'{"resourceSpans":[' + b'{"":0},' * 2_000_000 + b" " * (40 * MIB) + b"{}]}",
        JSON,
    ),
    "JSON: 100,000 levels of [": lambda: (b"[" * 100_000, JSON),
    "JSON: 64 MiB of [": lambda: (b"[" * FULL, JSON),
    "JSON: string of 60 MiB": lambda: (in_json(TEXT * (60 * MIB // len(TEXT))), JSON),
    "JSON: 60 MiB not UTF-8": lambda: (in_json(b"\xff" * (60 * MIB)), JSON),
    "JSON: 60 MiB of \\n escapes": lambda: (in_json(b"\\n" * (30 * MIB)), JSON),
    "gzip bomb, 64 MiB -> 60 kB": lambda: (gzip.compress(bytes(64 * MIB), 9), PROTOBUF | GZIP),
    "gzip bomb, 10 GB -> 10 MB": lambda: (bomb(10_000 * MIB), PROTOBUF | GZIP),
    "gzip of 1.3M tiny spans": lambda: (gzip.compress(tiny_spans(1_300_000), 1), PROTOBUF | GZIP),
    "gzip of 60 MiB string in 4 spans": lambda: (
        gzip.compress(request(field(2, head() + attribute(b"input.value", field(1, TEXT * (15 * MIB // len(TEXT))))) * 4), 6),
        PROTOBUF | GZIP,
    ),
}


class Watched:
    """A fresh receiver and the most memory that it had."""

    def __init__(self, folder: Path) -> None:
        journal = JournalLimits(max_lag_bytes=8 * 2**30, min_free_bytes=0)
        config = ReceiverConfig(directory=folder, http_port=0, grpc_port=0, redaction_key=b"0" * 32, journal=journal)
        self.process = ReceiverProcess(config)
        self.url = f"{self.process.endpoints.http_url}/v1/traces"

    def mib(self, what: str) -> float:
        """VmHWM is the most there was, VmRSS what there is."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{what}:")[1].split()[0]) / 1024


def send(url: str, body: bytes, headers: dict[str, str]) -> str:
    """The status, or how it failed."""
    try:
        return str(httpx.post(url, content=body, headers=headers, timeout=300).status_code)
    except httpx.HTTPError as error:
        return type(error).__name__


def measure(name: str, body: bytes, headers: dict[str, str], at_once: int) -> None:
    """Send a body `at_once` times to a fresh receiver and print what it took."""
    with TemporaryDirectory(dir="/tmp") as folder:
        watched = Watched(Path(folder))
        began = time.monotonic()
        with ThreadPoolExecutor(at_once) as pool:
            answers = Counter(pool.map(lambda _: send(watched.url, body, headers), range(at_once)))
        took = time.monotonic() - began
        said = " ".join(f"{count}x{code}" for code, count in sorted(answers.items()))
        memory = f"peak {watched.mib('VmHWM'):6.0f} MiB, after {watched.mib('VmRSS'):6.0f} MiB"
        print(f"{name:42} {len(body) / MIB:8.2f} MiB x {at_once}  {memory}  {took:6.1f} s  {said}", flush=True)
        watched.process.stop()


def main() -> None:
    """Measure all kinds, or those named on the command line."""
    wanted = sys.argv[1:]
    for name, make in BODIES.items():
        if wanted and not any(word in name for word in wanted):
            continue
        body, headers = make()
        for at_once in (1, 8):
            measure(name, body, headers, at_once)


if __name__ == "__main__":
    main()
