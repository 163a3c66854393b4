"""A long period is answered in bounded memory, by fewer whole traces, and it is told how many."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.core.observations import Observations
from holdfast.core.slices import LONGEST_NS
from holdfast.core.trace import ScoredTrace
from holdfast.telemetry.scratch import ScratchStore
from holdfast.telemetry.thinned import Thinned
from tests.telemetry.examples import T0, call, score, scored, simple

WEEK_NS = 7 * 86_400 * NS_PER_S
METRICS = ["latency", "cost"]


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[ScratchStore]:
    with ScratchStore(tmp_path / "scratch.sqlite") as opened:
        yield opened


def pair(n: int, trace: str, every_s: int = 30) -> ScoredTrace:
    """A trace of two calls with three scores; traces follow each other by `every_s`."""
    end = {"trace_id": trace, "end_ns": T0 + n * every_s * NS_PER_S}
    first, second = call(n, 1, **end), call(n, 2, **end)
    return scored(
        first, second, scores=(score(first, value=n), score(second, value=n % 7), score(second, metric="cost", value=n % 3))
    )


def pairs(count: int, every_s: int = 30) -> list[ScoredTrace]:
    random = np.random.default_rng(1)
    return [pair(n, random.bytes(16).hex(), every_s) for n in range(count)]


class Watched:
    """A store that remembers what was asked of it, and the most rows that it gave at once."""

    def __init__(self, inner: ScratchStore) -> None:
        self.inner = inner
        self.periods: list[tuple[int, int]] = []
        self.rows: list[int] = []

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        found = self.inner.observations(service, metrics, start_ns, end_ns)
        self.periods.append((start_ns, end_ns))
        self.rows.append(sum(map(len, found.values())))
        return found

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        return self.inner.changes(start_ns, end_ns)


def columns(found: dict[str, Observations]) -> list[tuple[object, ...]]:
    return [(m, o.time_ns.tolist(), o.value.tolist(), o.trace_id, o.span_id, o.dimensions) for m, o in found.items()]


def test_what_is_not_too_much_is_answered_as_the_store_does(scratch: ScratchStore) -> None:
    scratch.append(pairs(300))
    thinned = Thinned(scratch, 900)
    asked = ("support", [*METRICS, "nothing"], T0, T0 + WEEK_NS)
    assert columns(thinned.observations(*asked)) == columns(scratch.observations(*asked))
    assert thinned.kept == 1.0


@pytest.mark.parametrize("most", [50, 100, 500])
def test_too_much_is_halved_until_it_fits(scratch: ScratchStore, most: int) -> None:
    scratch.append(pairs(400))
    thinned = Thinned(scratch, most)
    found = thinned.observations("support", METRICS, T0, T0 + WEEK_NS)
    rows = sum(map(len, found.values()))
    assert most / 4 < rows <= most
    assert thinned.kept < 1.0
    assert np.log2(1 / thinned.kept).is_integer()


def test_a_trace_is_left_out_with_all_its_scores_or_not_at_all(scratch: ScratchStore) -> None:
    scratch.append(pairs(400))
    found = Thinned(scratch, 300).observations("support", METRICS, T0, T0 + WEEK_NS)
    assert sorted(found["latency"].trace_id) == sorted(2 * found["cost"].trace_id)


def test_what_is_left_is_in_order_of_time_over_all_slices(scratch: ScratchStore) -> None:
    scratch.append(pairs(600))
    found = Thinned(scratch, 300).observations("support", METRICS, T0, T0 + WEEK_NS)["latency"]
    assert (np.diff(found.time_ns) >= 0).all()
    assert found.time_ns[-1] - found.time_ns[0] > 0.9 * 600 * 30 * NS_PER_S


def test_means_stay_what_they_were(scratch: ScratchStore) -> None:
    scratch.append(pairs(1_000))
    asked = ("support", METRICS, T0, T0 + WEEK_NS)
    whole, part = scratch.observations(*asked)["cost"], Thinned(scratch, 1_000).observations(*asked)["cost"]
    assert len(part) < len(whole) / 2
    assert part.value.mean() == pytest.approx(whole.value.mean(), abs=4 * whole.value.std() / np.sqrt(len(part)))


def test_the_slices_cover_the_period_once_and_none_is_long_or_full(scratch: ScratchStore) -> None:
    scratch.append(pairs(1_000))
    watched = Watched(scratch)
    Thinned(watched, 800).observations("support", METRICS, T0, T0 + WEEK_NS)
    starts, ends = zip(*watched.periods, strict=True)
    assert starts[0] == T0
    assert ends[-1] == T0 + WEEK_NS
    assert starts[1:] == ends[:-1]
    assert max(end - start for start, end in watched.periods) <= LONGEST_NS
    assert max(watched.rows) <= 800


def test_a_burst_makes_the_next_slice_short(scratch: ScratchStore) -> None:
    scratch.append(pairs(1_500, every_s=1))
    watched = Watched(scratch)
    Thinned(watched, 800).observations("support", METRICS, T0, T0 + 1_500 * NS_PER_S)
    assert watched.rows[1] < watched.rows[0] / 4


def test_the_same_traces_are_left_whoever_asks_and_from_when(scratch: ScratchStore) -> None:
    scratch.append(pairs(1_000))
    end = T0 + 1_000 * 30 * NS_PER_S
    one = Thinned(scratch, 1_000).observations("support", ["cost"], T0, end)["cost"]
    other = Thinned(scratch, 1_000).observations("support", METRICS, T0 + 3_000 * NS_PER_S, end)["cost"]
    late = {trace for trace, at in zip(one.trace_id, one.time_ns, strict=True) if at >= T0 + 3_000 * NS_PER_S}
    assert late <= set(other.trace_id) or set(other.trace_id) <= late


def test_traces_that_cannot_be_told_apart_all_stay(scratch: ScratchStore) -> None:
    scratch.append([pair(n, "0" * 32) for n in range(150)])
    thinned = Thinned(scratch, 100)
    assert len(thinned.observations("support", ["latency"], T0, T0 + WEEK_NS)["latency"]) == 300
    assert thinned.kept == 1.0


def test_the_smallest_share_of_all_answers_is_told(scratch: ScratchStore) -> None:
    scratch.append(pairs(400))
    thinned = Thinned(scratch, 300)
    thinned.observations("support", METRICS, T0, T0 + WEEK_NS)
    least = thinned.kept
    thinned.observations("support", METRICS, T0, T0 + 60 * NS_PER_S)
    assert thinned.kept == least < 1.0


@pytest.mark.parametrize("length_ns", [0, -1], ids=["empty", "backwards"])
def test_a_period_without_length_has_no_rows(scratch: ScratchStore, length_ns: int) -> None:
    scratch.append([simple(1)])
    found = Thinned(scratch).observations("support", ["latency"], T0, T0 + length_ns)
    assert {metric: len(rows) for metric, rows in found.items()} == {"latency": 0}


def test_changes_are_never_left_out(scratch: ScratchStore) -> None:
    changes = [Change(id=str(n), time_ns=T0 + n, kind=ChangeKind.PROMPT, source="ci") for n in range(20)]
    scratch.append_changes(changes)
    assert Thinned(scratch, 1).changes(T0, T0 + 100) == changes
