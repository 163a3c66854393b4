"""What a fault does, measured: statistics of its cohort before and after."""

from collections.abc import Callable
from functools import cache

from holdfast.core.call import Kind
from holdfast.core.trace import Trace
from holdfast.drills.faults.registry import find_fault
from holdfast.drills.scenario import Scenario, play, prepare

Measure = Callable[[Trace], float | None]


@cache
def traces_of(name: str) -> tuple[tuple[Trace, ...], tuple[Trace, ...]]:
    """(healthy ones of the routes that the fault can hit, struck ones) of a small seeded run."""
    prepared = prepare(Scenario(fault=name, calls=500, fault_at=0.3, seed=3))
    (injection,) = prepared.injections
    shape = find_fault(name).shape
    routes = {route.path for route in prepared.application.routes if not shape or route.shape == shape}
    healthy, struck = [], []
    for steps in play(prepared):
        trace = Trace(steps.calls[0].trace_id, steps.calls)
        if steps.struck:
            struck.append(trace)
        elif trace.start_ns < injection.change_ns and trace.dimensions["route"][0] in routes:
            healthy.append(trace)
    return tuple(healthy), tuple(struck)


def means(name: str, measure: Measure) -> tuple[float, float]:
    """Mean of a measure over healthy and over struck traces; traces where it is None are left out."""
    found = []
    for traces in traces_of(name):
        values = [value for trace in traces if (value := measure(trace)) is not None]
        assert values, f"{name}: nothing to measure"
        found.append(sum(values) / len(values))
    return found[0], found[1]


def says(*parts: str) -> Measure:
    """1 when the delivered answer contains any of the parts."""
    return lambda trace: float(any(part in trace.delivered_answer for part in parts))


def documents(measure: Callable[[Trace], float]) -> Measure:
    """A measure of traces with documents only."""
    return lambda trace: measure(trace) if trace.documents else None


def altered(trace: Trace) -> float:
    """1 when the user saw something else than the model wrote."""
    return float(trace.delivered_answer != trace.model_answer)


def words(trace: Trace) -> float:
    """Length of the model's answer in words."""
    return float(len(trace.model_answer.split()))


def tool_errors(trace: Trace) -> float:
    """Share of tool calls that failed."""
    tools = trace.of_kind(Kind.TOOL)
    return sum(bool(t.error_type) for t in tools) / len(tools) if tools else 0.0


def steps(trace: Trace) -> float:
    """Number of calls."""
    return float(len(trace.calls))


def unsupported_numbers(trace: Trace) -> float:
    """Share of numbers of the answer that stand in no document, tool result or question."""
    import re

    pattern = re.compile(r"\d+(?:[.,]\d+)?")
    given = " ".join([d.content for d in trace.documents] + [t.tool_result for t in trace.of_kind(Kind.TOOL)] + [trace.question])
    known = set(pattern.findall(given))
    found = pattern.findall(trace.delivered_answer)
    return sum(number not in known for number in found) / len(found) if found else 0.0


def refuses(trace: Trace) -> float:
    """1 when the answer is a refusal or an admission of ignorance."""
    from holdfast.drills.phrases import PHRASES

    return float(any(trace.delivered_answer in (*p.refusals, *p.unknown) for p in PHRASES.values()))


def names_article(trace: Trace) -> float:
    """1 when the answer names the title of a retrieved document."""
    return float(any(d.content.split(". ")[0] in trace.delivered_answer for d in trace.documents))
