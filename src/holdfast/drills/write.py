"""A scenario as files: OTLP/JSON lines, change events and the ground truth."""

import gzip
import heapq
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import orjson

from holdfast.core.call import Call
from holdfast.core.change import Change
from holdfast.core.clock import to_iso
from holdfast.core.errors import HoldfastError
from holdfast.drills.decoys.delivery import deliver
from holdfast.drills.decoys.registry import DECOYS
from holdfast.drills.encode.otlp import json_line, json_span, resource_attributes
from holdfast.drills.encode.registry import CONVENTIONS
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.injection import Injection
from holdfast.drills.scenario import Play, Scenario, TraceSteps, play, prepare

BATCH_SPANS = 64
"""Spans in one export request, as a batch processor sends them."""


class Written(NamedTuple):
    """Paths of what was written."""

    traces: Path
    changes: Path
    truth: Path


def write(scenario: Scenario, directory: Path) -> Written:
    """Write `traces.jsonl.gz`, `changes.jsonl` and `truth.json` into `directory` (made if it is missing).

    Raises:
        NotFoundError, ConfigurationError: as `prepare`.
    """
    prepared = prepare(scenario)
    directory.mkdir(parents=True, exist_ok=True)
    paths = Written(directory / "traces.jsonl.gz", directory / "changes.jsonl", directory / "truth.json")
    tally = Tally()
    partial = paths.traces.with_suffix(".partial")
    with partial.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0) as out:
        for line in lines(prepared, tally.count(play(prepared))):
            out.write(line)
    os.replace(partial, paths.traces)
    _put(paths.changes, b"".join(orjson.dumps(cloudevent(change)) + b"\n" for change in prepared.changes))
    _put(paths.truth, orjson.dumps(truth(prepared, tally), option=orjson.OPT_INDENT_2))
    return paths


def _put(path: Path, content: bytes) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


class Tally:
    """Counts traces on their way, and remembers which ones a fault harmed."""

    def __init__(self) -> None:
        self.traces = 0
        self.spans = 0
        self.imperfect = 0
        self.affected: dict[str, list[str]] = {}

    def count(self, traces: Iterable[TraceSteps]) -> Iterator[TraceSteps]:
        """The same traces, counted."""
        for trace in traces:
            self.traces += 1
            self.spans += len(trace.calls)
            self.imperfect += trace.harmed and not trace.struck
            for name in trace.struck:
                self.affected.setdefault(name, []).append(trace.calls[0].trace_id)
            yield trace


def lines(prepared: Play, traces: Iterable[TraceSteps]) -> Iterator[bytes]:
    """Export requests, as the processes of the application send them: spans in order of their end, batched by process."""
    name = prepared.scenario.convention or prepared.application.convention
    convention, scope = CONVENTIONS[name]
    batches: dict[str, list[dict[str, Any]]] = {}
    resources: dict[str, dict[str, Any]] = {}
    for call, replica in arrivals(prepared, traces):
        batch = batches.setdefault(replica, [])
        resources.setdefault(replica, resource_attributes(call, replica, name))
        batch.append(json_span(call, convention(call)))
        if len(batch) >= BATCH_SPANS:
            yield json_line(resources[replica], scope, batch)
            batch.clear()
    for replica, batch in batches.items():
        if batch:
            yield json_line(resources[replica], scope, batch)


def arrivals(prepared: Play, traces: Iterable[TraceSteps]) -> Iterator[tuple[Call, str]]:
    """Calls with their process as they arrive: in order of their end, unless a decoy delays, repeats or drops some."""
    if prepared.decoy is None:
        return by_end(traces)
    return deliver(by_end(traces), prepared.decoy.delivery, prepared.moment_ns, prepared.scenario.seed)


def by_end(traces: Iterable[TraceSteps]) -> Iterator[tuple[Call, str]]:
    """Calls with their process in order of their end; memory holds only traces under way."""
    waiting: list[tuple[int, int, Call, str]] = []
    number = 0
    for trace in traces:
        while waiting and waiting[0][0] <= trace.calls[0].start_ns:
            _, _, call, replica = heapq.heappop(waiting)
            yield call, replica
        for call in trace.calls:
            number += 1
            heapq.heappush(waiting, (call.end_ns, number, call, trace.replica))
    while waiting:
        _, _, call, replica = heapq.heappop(waiting)
        yield call, replica


def cloudevent(change: Change) -> dict[str, Any]:
    """A change as a CloudEvent of type holdfast.change.v1, in structured mode."""
    return {
        "specversion": "1.0",
        "id": change.id,
        "source": change.source,
        "type": "holdfast.change.v1",
        "time": to_iso(change.time_ns),
        "subject": change.subject,
        "datacontenttype": "application/json",
        "data": {
            "kind": change.kind,
            "target": change.target,
            "from": change.from_value,
            "to": change.to_value,
            "scope": {"service.name": change.service, **change.scope},
        },
    }


def truth(prepared: Play, tally: Tally) -> dict[str, Any]:
    """What is true of a scenario: per fault its layer, cohort, change, times and the ids of the traces that it harmed."""
    scenario = prepared.scenario
    faults = [_fault_truth(injection, tally.affected.get(injection.fault.name, [])) for injection in prepared.injections]
    return {
        **(faults[0] if faults else {"fault": None, "layer": None}),
        "decoy": scenario.decoy or None,
        "application": scenario.application,
        "service": prepared.application.service,
        "start_ns": scenario.start_ns,
        "period_end_ns": prepared.end_ns,
        "traces": tally.traces,
        "spans": tally.spans,
        "imperfect_traces": tally.imperfect,
        "second": faults[1] if len(faults) > 1 else None,
        "scenario": msgspec.to_builtins(scenario),
    }


def _fault_truth(injection: Injection, affected: list[str]) -> dict[str, Any]:
    fault = injection.fault
    return {
        "fault": fault.name,
        "layer": fault.layer,
        "title": fault.title,
        "cohort": injection.cohort,
        "scope": injection.scope,
        "change_id": injection.change.id if injection.change else None,
        "change_ns": injection.change_ns,
        "onset_ns": injection.onset_ns,
        "end_ns": injection.end_ns,
        "rate": injection.rate,
        "silent": fault.silent,
        "signature": fault.signature,
        "affected": affected,
    }


def _scenario_of(arguments: list[str]) -> tuple[Scenario, Path]:
    """``NAME --out DIR --field value``: every field of `Scenario` is an option; NAME is a fault, a decoy or ``healthy``."""
    name, rest = arguments[0], arguments[1:]
    if len(rest) % 2:
        raise SystemExit("every option takes one value")
    options: dict[str, Any] = {rest[i].removeprefix("--").replace("-", "_"): rest[i + 1] for i in range(0, len(rest), 2)}
    out = Path(options.pop("out", f"drill-{name}"))
    if "cohort" in options:
        options["cohort"] = dict(pair.split("=", 1) for pair in options["cohort"].split(","))
    kind = "decoy" if name in DECOYS else "fault"
    if name != "healthy":
        options[kind] = name
    return msgspec.convert(options, Scenario, strict=False), out


def main(arguments: list[str]) -> int:
    """Write one scenario; 0 when it was written, 2 on a wrong argument."""
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(f"python -m holdfast.drills.write NAME --out DIR --seed N --calls N …\nfaults: {' '.join(FAULTS)}\n")
        sys.stdout.write(f"decoys: {' '.join(DECOYS)}\nor: healthy\n")
        return 0
    try:
        scenario, out = _scenario_of(arguments)
        paths = write(scenario, out)
    except (HoldfastError, msgspec.ValidationError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("".join(f"{path}\n" for path in paths))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
