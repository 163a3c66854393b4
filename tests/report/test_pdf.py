"""The post-mortem as PDF: all of its text, whatever was in it."""

import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.events import CommentAdded, Recorded, fold
from holdfast.core.incident import Incident
from holdfast.core.score import Metric
from holdfast.report.pdf import LONGEST_TEXT, MOST_ROWS, Fonts, machine_fonts, pdf
from holdfast.report.postmortem import postmortem
from tests.report.conftest import MINUTE, START, events

BUILT_IN = Fonts()


def text_of(document: bytes) -> str:
    """What is drawn with the built-in font, line by line."""
    streams = (zlib.decompress(found) for found in re.findall(rb"stream\n(.*?)\nendstream", document, re.DOTALL))
    drawn = re.findall(rb"\((.*?)(?<!\\)\) Tj", b"\n".join(streams), re.DOTALL)
    return "\n".join(piece.decode("latin-1") for piece in drawn).replace("\\(", "(").replace("\\)", ")").replace("\\\\", "\\")


def pages_of(document: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", document))


def test_it_says_what_the_markdown_says(incident: Incident, metrics: dict[str, Metric]) -> None:
    text = text_of(pdf(postmortem(incident, metrics), "inc_1", START, BUILT_IN))
    for told in ("Post-mortem: Hallucination rose", "prompt_engineering", "negative_feedback", "roll prompt.version back to v1"):
        assert told in text
    assert "inc_1" in text
    assert f"{pages_of(pdf(postmortem(incident, metrics), 'inc_1', START, BUILT_IN))}" in text.split("1/")[1]


@pytest.mark.parametrize("fonts", [BUILT_IN, None], ids=["built-in", "of the machine"])
def test_the_same_incident_at_the_same_time_gives_the_same_bytes(
    incident: Incident, metrics: dict[str, Metric], fonts: Fonts | None
) -> None:
    markdown = postmortem(incident, metrics)
    assert pdf(markdown, "inc_1", START, fonts) == pdf(markdown, "inc_1", START, fonts)


def test_nothing_in_it_acts(metrics: dict[str, Metric]) -> None:
    hostile = "[x](javascript:alert(1)) <https://evil.example> <script>1</script> /URI /JavaScript (x) Tj"
    comment = Recorded(incident_id="inc_1", time_ns=START + 3 * MINUTE, actor=hostile, event=CommentAdded(text=hostile))
    document = pdf(postmortem(fold([*events(), comment]), metrics), "inc_1", START, BUILT_IN)
    for acting in (b"/Annot", b"/URI", b"/JavaScript", b"/Launch"):
        assert acting not in document
    assert "javascript:alert(1)" in text_of(document).replace("\n", "")


@pytest.mark.parametrize("text", ["{nb}", "{{nb}}", "page {nb} of {nb}"])
def test_a_text_that_looks_like_the_librarys_stand_ins_stays_as_it_is(text: str) -> None:
    document = pdf(f"{text} and more\n\n| a |\n|---|\n| {text} |", "t {nb}", START, BUILT_IN)
    drawn = text_of(document)
    assert drawn.count("{nb}") == 2 * text.count("{nb}") + 1
    assert "1/1" in drawn


def test_letters_that_the_font_does_not_have_are_counted_not_dropped_silently() -> None:
    assert "2 letters are not in this document's font" in text_of(pdf("Größe 中文 → ok", "t", START, BUILT_IN))
    assert "letters are not" not in text_of(pdf("Größe → ok", "t", START, BUILT_IN))


def test_what_is_cut_is_said() -> None:
    assert "500 more characters" in text_of(pdf("x" * (LONGEST_TEXT + 500), "t", START, BUILT_IN))
    rows = "| a | b |\n|---|---|\n" + "| x | y |\n" * (MOST_ROWS + 7)
    assert "7 more rows" in text_of(pdf(rows, "t", START, BUILT_IN))


def test_long_words_and_cells_stay_on_the_page() -> None:
    table = f"| a | b | c |\n|---|---|---|\n| {'x' * 5000} | {'y ' * 3000} | {'z' * 5000} |\n"
    assert 1 <= pages_of(pdf(f"# {'t' * 300}\n\n- {'w' * 5000}\n\n{table}", "t", START, BUILT_IN)) <= 8


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=300))
def test_any_text_can_be_laid_out(text: str) -> None:
    table = f"| {text} | b |\n|---|---|\n| {text} | y |\n"
    assert pdf(f"# {text}\n\n- {text}\n\n**{text}**\n\n{table}", text, START, BUILT_IN).startswith(b"%PDF")


def test_the_fonts_of_the_machine_are_used_where_there_are_any(tmp_path: Path) -> None:
    assert machine_fonts((str(tmp_path),)) == BUILT_IN
    (tmp_path / "DejaVuSans.ttf").write_bytes(b"no font")
    (tmp_path / "DejaVuSans-Bold.ttf").write_bytes(b"no font")
    machine_fonts.cache_clear()
    assert machine_fonts((str(tmp_path),)) == BUILT_IN
