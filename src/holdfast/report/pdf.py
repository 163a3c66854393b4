"""The post-mortem as PDF, for those who file paper. The same text as the Markdown, laid out by fpdf2."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped] # it has no type hints
from fpdf import FPDF
from fpdf.errors import FPDFException
from fpdf.fonts import FontFace, TTFFont
from markdown_it.token import Token

from holdfast.core.clock import NS_PER_S, to_iso
from holdfast.core.errors import InputError
from holdfast.report.reader import tokens

FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/Library/Fonts",
    "/System/Library/Fonts/Supplemental",
    "C:/Windows/Fonts",
)
FAMILIES = (
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"),
    ("arial.ttf", "arialbd.ttf"),
)
"""Regular and bold of fonts that have most of the letters of Europe; the first family that is there is taken."""
BUILT_IN, ENCODING = "Helvetica", "latin-1"
ASCII = {"→": "->", "←": "<-", "≤": "<=", "≥": ">=", "−": "-", "↑": "up", "↓": "down", "•": "-", "–": "-", "…": "..."}
"""What stands for signs of ours where the built-in font has to do."""
MISSING = "?"
LONGEST_TEXT, LONGEST_CELL = 2_000, 800
MOST_ROWS = 400
INK, FAINT, LINE = (24, 32, 42), (85, 97, 111), (210, 216, 224)


class Fonts(msgspec.Struct, frozen=True):
    """Files of a font, and the code points that it has. Empty paths: the font that every PDF reader has."""

    regular: str = ""
    bold: str = ""
    letters: frozenset[int] = frozenset()


@cache
def machine_fonts(folders: tuple[str, ...] = FOLDERS) -> Fonts:
    """The first of `FAMILIES` that is in one of these folders; the built-in font where there is none."""
    there = {path.name: path for folder in folders for path in sorted(Path(folder).rglob("*.ttf")) if path.is_file()}
    for regular, bold in FAMILIES:
        if regular in there and bold in there:
            try:
                with there[regular].open("rb") as file, TTFont(file, lazy=True) as font:
                    letters = frozenset(font.getBestCmap())
            except (TTLibError, OSError):
                continue
            return Fonts(str(there[regular]), str(there[bold]), letters)
    return Fonts()


def pdf(markdown: str, title: str, made_ns: int, fonts: Fonts | None = None) -> bytes:
    """The document, A4. The same arguments give the same bytes.

    Letters that the font does not have are a question mark, and counted at the end. A text is cut after 2,000
    characters, one in a table after 800, and a table after 400 rows, which is said there: the Markdown has all of it.

    Args:
        markdown: as `postmortem` writes it.
        title: of the file.
        made_ns: when it was made.
        fonts: by default those of this machine.

    Raises:
        InputError: it cannot be laid out.
    """
    found, fonts = list(tokens(markdown)), machine_fonts() if fonts is None else fonts
    try:
        # Twice, for the number of pages: the library's stand-in for it would be replaced in people's texts just as well.
        pages = _filled(_Sheet(title, made_ns, fonts), found)[1]
        return _filled(_Sheet(title, made_ns, fonts, pages), found)[0]
    except (FPDFException, ValueError) as error:
        raise InputError(f"cannot be laid out as PDF: {error}", title) from error


def _filled(sheet: "_Sheet", found: Sequence[Token]) -> tuple[bytes, int]:
    try:
        return sheet.filled(found), sheet.pages_count
    finally:
        sheet.close_fonts()


class _Sheet(FPDF):
    """Draws tokens one after the other. `total` is how many pages there will be, as the foot of each tells."""

    def __init__(self, title: str, made_ns: int, fonts: Fonts, total: int = 0) -> None:
        super().__init__(format="A4")
        self._fonts, self._lost, self._total = fonts, 0, total
        self._family = BUILT_IN
        if fonts.regular:
            self._family = "text"
            self.add_font(self._family, "", fonts.regular)
            self.add_font(self._family, "B", fonts.bold)
        self._foot = f"{title} · {to_iso(made_ns)}"
        self.set_title(self._drawable(title))
        self.set_creator("Holdfast")
        self.set_creation_date(datetime.fromtimestamp(made_ns // NS_PER_S, tz=UTC))
        self.set_margin(18)
        self.set_auto_page_break(True, 18)
        self.alias_nb_pages(None)  # type: ignore[arg-type] # None is its way to turn it off

    def footer(self) -> None:
        """Which incident, when made, which page."""
        self.set_y(-13)
        self._face(8, FAINT)
        self.cell(0, 5, self._drawable(f"{self._foot} · {self.page_no()}/{self._total}"), align="C")

    def close_fonts(self) -> None:
        """The files of the fonts, which the library leaves open."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def filled(self, found: Sequence[Token]) -> bytes:
        """The file."""
        self.add_page()
        place = iter(found)
        for token in place:
            match token.type:
                case "heading_open":
                    self._heading(next(place), int(token.tag[1:]))
                case "inline":
                    self._text(token, bullet=token.level > 1)
                case "table_open":
                    self._table(place)
        if self._lost:
            self._face(8, FAINT)
            self.ln(3)
            self.multi_cell(
                0, 4, f"{self._lost} letters are not in this document's font: the Markdown and HTML exports have them."
            )
        return bytes(self.output())

    def _heading(self, inline: Token, level: int) -> None:
        self.ln(5 if level > 1 else 0)
        self._face(15 if level == 1 else 11.5, INK, bold=True)
        self.multi_cell(0, 7, self._cut(_plain(inline)), align="L")
        self.ln(1 if level > 1 else 3)

    def _text(self, inline: Token, bullet: bool) -> None:
        margin = self.l_margin
        self._face(9.5, INK)
        if bullet:
            self.set_x(margin + 1)
            self.cell(4, 5, self._drawable("•"))
            self.set_left_margin(margin + 5)
        left = LONGEST_TEXT
        for text, bold in _runs(inline):
            self._face(9.5, INK, bold)
            self.write(5, self._cut(text, left))
            left = max(left - len(text), 0)
        self.set_left_margin(margin)
        self.ln(5 if bullet else 7)

    def _table(self, place: Iterator[Token]) -> None:
        rows = _rows(place)
        widths = _widths(rows)
        self._face(8.5, INK)
        self.set_draw_color(*LINE)
        head = FontFace(emphasis="BOLD", color=FAINT)
        with self.table(
            borders_layout="HORIZONTAL_LINES",
            line_height=4.4,
            padding=0.8,
            col_widths=widths,
            text_align="LEFT",
            headings_style=head,
            v_align="TOP",
        ) as table:
            for cells in rows[: MOST_ROWS + 1]:
                row = table.row()
                for text in cells:
                    row.cell(self._cut(text, LONGEST_CELL))
        if len(rows) > MOST_ROWS + 1:
            self.multi_cell(0, 5, self._drawable(f"… {len(rows) - MOST_ROWS - 1} more rows: see the Markdown export"))
        self.ln(3)

    def _face(self, size: float, color: tuple[int, int, int], bold: bool = False) -> None:
        self.set_font(self._family, "B" if bold else "", size)
        self.set_text_color(*color)

    def _cut(self, text: str, longest: int = LONGEST_TEXT) -> str:
        more = len(text) - longest
        return self._drawable(text if more <= 0 else f"{text[:longest]} … {more} more characters")

    def _drawable(self, text: str) -> str:
        """The text in letters that the font has; others are counted."""
        return "".join(map(self._letter, text))

    def _letter(self, letter: str) -> str:
        if self._fonts.letters:
            known = ord(letter) in self._fonts.letters
        else:
            letter = ASCII.get(letter, letter)
            known = _is_built_in(letter)
        if known:
            return letter
        self._lost += 1
        return MISSING


def _is_built_in(text: str) -> bool:
    try:
        text.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return text.isprintable()


def _runs(inline: Token) -> Iterator[tuple[str, bool]]:
    """Text in order, with whether it is bold."""
    bold = False
    for child in inline.children or ():
        match child.type:
            case "strong_open" | "strong_close":
                bold = child.type == "strong_open"
            case "softbreak" | "hardbreak":
                yield " ", bold
            case _:
                yield child.content, bold


def _plain(inline: Token) -> str:
    return "".join(text for text, _ in _runs(inline))


def _rows(place: Iterator[Token]) -> list[list[str]]:
    """The cells up to the end of a table, the head first."""
    rows: list[list[str]] = []
    for token in place:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_plain(token))
    return rows


def _widths(rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Shares of the page's width, by the longest words and texts of each column."""
    columns: list[Any] = list(zip(*rows, strict=True))
    return tuple(min(max(max(len(text) for text in column), 10), 60) for column in columns)
