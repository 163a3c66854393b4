"""Looking words up."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.call import Call, Message
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.telemetry.search import CallQuery
from holdfast.telemetry.store import TelemetryStore
from holdfast.telemetry.words import rarest_word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", ""),
        ("the", ""),
        ("is it", ""),
        ("my order is JP-2BAA5228", "2BAA5228"),
        ("where is the refrigerator", "refrigerator"),
        ("500 refrigerators", "refrigerators"),
        ("保修", "保修"),
        ("ΟΔΟΣ", ""),
        ("ΟΔΟΣ in Athens", "Athens"),
        ("100% <b>", ""),
        ("\ud800\ud800\ud800\ud800", "\ud800\ud800\ud800\ud800"),
    ],
    ids=ascii,
)
def test_the_rarest_word_is_a_number_or_the_longest(text: str, word: str) -> None:
    assert rarest_word(text) == word


WORDS = st.text(st.sampled_from("abzXYZ019 .-_%'\\\"äÄßẞİıσΣςЖж保修ﬁ\u00a0\n"), min_size=1, max_size=24)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TelemetryStore]:
    with TelemetryStore(f"chdb://{tmp_path_factory.mktemp('spoken')}") as opened:
        yield opened


def saying(number: int, text: str) -> ScoredTrace:
    trace_id, span_id = f"{number:032x}", f"{number:016x}"
    said = (Message(role="assistant", content=text),)
    return ScoredTrace(
        Trace(trace_id, (Call(trace_id=trace_id, span_id=span_id, end_ns=10**18 - number, output_messages=said),)), ()
    )


@given(said=WORDS, data=st.data())
@settings(max_examples=30, deadline=None)
def test_every_part_of_what_was_said_is_found_with_the_index_as_without(
    spoken: TelemetryStore, said: str, data: st.DataObject
) -> None:
    begin = data.draw(st.integers(0, len(said) - 1))
    part = said[begin : data.draw(st.integers(begin + 1, len(said)))]
    number = spoken.count() + 1
    spoken.append([saying(number, f"<{said}>")])
    if data.draw(st.booleans()):
        spoken._connection.command("OPTIMIZE TABLE calls FINAL")
    for text in (part, part.swapcase()):
        found = {hit.call.trace_id for hit in spoken.search(CallQuery(text=text, limit=200)).hits}
        sql = "SELECT trace_id FROM calls WHERE positionCaseInsensitiveUTF8(body, {text:String}) > 0"
        assert found == {trace_id for (trace_id,) in spoken._connection.rows(sql, {"text": text})}
        assert text != part or f"{number:032x}" in found
