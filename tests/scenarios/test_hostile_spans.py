"""Through the whole server: what cannot be used is named, everything else is kept, and everybody can go on working."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from holdfast.core.clock import NS_PER_S, SystemClock
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.server import ServerProcess
from tests.ingest.otlp.bodies import as_json, span, traces

TIMEOUT_S = 60
DAY_NS = 86_400 * NS_PER_S
TEXTS = {
    "sql": "'; DROP TABLE calls; -- \\' OR 1=1 {x:String} %(x)s",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>[bold red]",
    "control characters": "\x1b[2J\x07\x08\r\n\t\x7f",
    "nul": "before\x00after",
    "right to left": "\u202emoc.live\u202c \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "long": "many words " * 100_000,
    "template": "{{7*7}} ${7*7} {0.__class__} %s%n",
    "path": "../../etc/passwd\x00.png",
}
PLACES = "resourceSpans[0].scopeSpans[0].spans[{}]"


class Sent:
    """What one server was sent, and what it answered."""

    def __init__(self, folder: Path) -> None:
        self.server = ServerProcess(folder)
        self.now_ns = SystemClock().now_ns()
        self.kept: set[tuple[str, str]] = set()
        self._number = 0

    def span(self, attributes: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """A chat of a trace of its own."""
        self._number += 1
        known = {
            "name": "chat",
            "traceId": f"{self._number:032x}",
            "spanId": f"{self._number:016x}",
            "startTimeUnixNano": str(self.now_ns),
            "endTimeUnixNano": str(self.now_ns + NS_PER_S),
        }
        return span({"gen_ai.operation.name": "chat", **(attributes or {})}, **{**known, **fields})

    def send(self, spans: list[dict[str, Any]], lost: tuple[int, ...] = (), body: bytes | None = None) -> str:
        """The message about what was not taken; all but those at the places `lost` are expected to be kept."""
        content = body or as_json(traces(*spans, resource={"service.name": "support"}))
        headers = {"content-type": "application/json"}
        answer = httpx.post(f"{self.server.otlp}/v1/traces", content=content, headers=headers, timeout=TIMEOUT_S)
        assert answer.status_code == 200
        self.kept |= {(s["traceId"].lower(), s["spanId"].lower()) for i, s in enumerate(spans) if i not in lost}
        partial = orjson.loads(answer.content).get("partialSuccess", {})
        assert int(partial.get("rejectedSpans", 0)) == len(lost)
        return str(partial.get("errorMessage", ""))

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`holdfast …` on the data of the server."""
        environment = {**os.environ, "HOLDFAST_SERVER__DATA_DIR": str(self.server.data_dir), "NO_COLOR": "1"}
        environment["HOLDFAST_SERVER__API_PORT"] = self.server.api.rpartition(":")[2]
        command = [sys.executable, "-m", "holdfast", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    found = Sent(tmp_path_factory.mktemp("hostile"))
    with found.server:
        yield found
        assert found.server.stop() == 0
    exactly_what_was_kept_is_stored(found)


def exactly_what_was_kept_is_stored(sent: Sent) -> None:
    with TelemetryStore(f"chdb://{sent.server.data_dir}/telemetry") as store:
        assert store.count() == len(sent.kept)
        assert all(store.call(*key) is not None for key in sent.kept)


@pytest.fixture(autouse=True)
def nothing_broke(sent: Sent) -> Iterator[None]:
    """After every test: what was kept arrives in the store, and the pipeline has no error."""
    yield
    sent.server.wait_for("/api/v1/status", lambda answer: answer.json()["calls"] >= len(sent.kept) and not answer.json()["error"])


def test_texts_that_are_code_somewhere_are_kept_as_texts(sent: Sent) -> None:
    message = sent.send(
        [
            sent.span(
                {"input.value": text, "output.value": text, text[:200]: text[:200], "gen_ai.request.model": text[:200]},
                name=text[:500],
                status={"code": 2, "message": text[:500]},
            )
            for text in TEXTS.values()
        ]
    )
    assert message == ""


def test_lone_surrogates_in_escapes_are_put_right(sent: Sent) -> None:
    one = sent.span({"input.value": "SURROGATE", "SURROGATE": "x"})
    body = as_json(traces(one, resource={"service.name": "support"})).replace(b"SURROGATE", b"\\ud800 and \\udfff")
    assert sent.send([one], body=body) == ""


def test_a_score_that_is_no_number_is_named_and_its_span_kept(sent: Sent) -> None:
    scores = {f"evaluations.0.evaluation.{k}": v for k, v in {"name": "faithful", "score": "NaN"}.items()}
    message = sent.send([sent.span({"openinference.span.kind": "LLM", **scores}), sent.span({"x": float("nan")})])
    assert f"{PLACES.format(0)}: score of evaluation 'faithful' is not a finite number" in message


def test_times_that_cannot_be_are_named_and_the_others_kept(sent: Sent) -> None:
    message = sent.send(
        [
            sent.span(),
            sent.span(startTimeUnixNano="0"),
            sent.span(startTimeUnixNano=str(sent.now_ns + 400 * DAY_NS), endTimeUnixNano=str(sent.now_ns + 400 * DAY_NS)),
            sent.span(endTimeUnixNano=str(sent.now_ns - NS_PER_S)),
            sent.span(startTimeUnixNano=str(2**64 - 1)),
            sent.span(startTimeUnixNano="-5"),
            sent.span(startTimeUnixNano="1"),
        ],
        lost=(1, 2, 4, 5),
    )
    assert f"{PLACES.format(1)}: startTimeUnixNano is missing or zero" in message
    assert f"{PLACES.format(2)}: startTimeUnixNano is more than 24 h in the future" in message


def test_ids_of_the_wrong_length_or_kind_are_named_and_the_others_kept(sent: Sent) -> None:
    message = sent.send(
        [
            sent.span(traceId="abc"),
            sent.span(spanId="f" * 17),
            sent.span(traceId="0" * 32),
            sent.span(spanId="zz" * 8),
            sent.span(),
            sent.span(spanId="ABCDEF0123456789"),
        ],
        lost=(0, 1, 2, 3),
    )
    for place, reason in ((0, "traceId must have 32"), (1, "spanId must have 16"), (2, "all zero"), (3, "hex digits")):
        assert PLACES.format(place) in message
        assert reason in message


def test_of_two_spans_with_one_id_one_is_kept(sent: Sent) -> None:
    first = sent.span({"input.value": "first"})
    sent.send([first, {**first, "name": "another"}])
    sent.send([{**first, "name": "again"}])


def test_more_than_a_request_may_hold_is_refused_for_good_by_a_reason_with_the_limit(sent: Sent) -> None:
    body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * 300_000 + b"{}]}]}]}"
    answer = httpx.post(
        f"{sent.server.otlp}/v1/traces", content=body, headers={"content-type": "application/json"}, timeout=TIMEOUT_S
    )
    assert answer.status_code == 413
    assert "100000 items" in answer.json()["message"]


def test_people_can_still_ask(sent: Sent) -> None:
    """The API and the commands work on all of it."""
    sent.send([sent.span({"input.value": TEXTS["sql"]}, name=TEXTS["nul"])])
    assert httpx.get(f"{sent.server.api}/api/v1/incidents", headers=sent.server.headers, timeout=TIMEOUT_S).status_code == 200
    for name in ("coverage", "metrics?service=support", "metrics?service=%27%3B--"):
        assert httpx.get(f"{sent.server.api}/api/v1/{name}", headers=sent.server.headers, timeout=TIMEOUT_S).status_code == 200
    listed = sent.run("incident", "list", "--json")
    assert (listed.returncode, listed.stderr) == (0, "")
    orjson.loads(listed.stdout)
    checked = sent.run("doctor", "--json")
    assert "Traceback" not in checked.stderr
    assert {"ledger", "server"} <= {finding["check"] for finding in orjson.loads(checked.stdout) if finding["ok"]}
