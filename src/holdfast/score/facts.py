"""Numbers and names in a text, in a form in which two spellings of the same thing are equal."""

import re
from decimal import Decimal
from functools import lru_cache

import orjson

from holdfast.score.text import listed

_SCALES = {
    10**3: "k thousand tsd tausend mille mila mil tys тыс ألف",
    10**4: "万 萬 만",
    10**6: "million millions mn mio millionen millones millón milhões milhão milioni milione mln miljoen miljoner млн مليون",
    10**8: "億 亿 억",
    10**9: "billion billions bn mrd milliarden milliard milliards miliardi mld miljard млрд مليار",
}
_SCALE = {word: factor for factor, words in _SCALES.items() for word in words.split()}
_WORDS = "|".join(sorted((word for word in _SCALE if ord(word[0]) < 0x3000), key=len, reverse=True))
_NUMBER = re.compile(
    r"(?:\d{1,3}(?: \d{3})+(?:[.,]\d{1,2})?(?![\d.,]*\d)|\d+(?:[.,'\u00a0\u202f]\d+)*)"
    rf"(?:\s?((?i:{_WORDS}))(?!\w)|([万萬만億亿억]))?"
)
_COUNTED = """
    zero one two three four five six seven eight nine ten eleven twelve
    thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty|
    null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf|
    zéro un deux trois quatre cinq six sept huit neuf dix onze douze|
    cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce
"""
_ROUND = (
    "thirty=30 forty=40 fifty=50 sixty=60 seventy=70 eighty=80 ninety=90 hundred=100 thousand=1000 once=1 twice=2 dozen=12"
    " first=1 second=2 third=3 fourth=4 fifth=5 half=0.5"
)
_MONTHS = """
    january jan januar janvier enero|february feb februar février febrero|march mar märz mars marzo|april apr avril abril|
    may mai mayo|june jun juni juin junio|july jul juli juillet julio|august aug août agosto|
    september sep sept septembre septiembre|october oct oktober octobre octubre|november nov novembre noviembre|
    december dec dezember décembre diciembre
"""


def _spelled() -> dict[str, str]:
    table = {word: str(i + 1) for i, names in enumerate(_MONTHS.split("|")) for word in names.split()}
    for line in _COUNTED.split("|"):
        table |= {word: str(i) for i, word in enumerate(line.split())}
    return table | dict(pair.split("=") for pair in _ROUND.split())


SPELLED: dict[str, str] = _spelled()
"""Number word, ordinal or month → plain number."""
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w&'’-]*[\w]\b")
_URL = re.compile(r"(?:https?://|www\.)[^\s)\]>\"']+|[\w.+-]+@[\w-]+\.[\w.]+")
MAX_FACTS = 200
_CURRENCIES = listed("""
    EUR USD GBP CHF JPY CNY RMB PLN CZK SEK NOK DKK HUF RON BGN TRY RUB UAH INR BRL MXN CAD AUD NZD KRW SGD HKD ZAR AED SAR
""")
_LEAST_WHOLE = 100
"""From here on a whole number may stand for one with decimals."""
_LEAST_ROUNDED = 10_000
"""From here on a whole number may stand for another whole one: smaller ones are counts and years."""


@lru_cache(maxsize=4096)
def plain_number(text: str) -> str:
    """`1,000`, `1.000` and `1'000` are `1000`; `3.50` and `3,5` are `3.5`; leading zeros go."""
    text = text.strip("+").replace("'", "").replace("\u00a0", "").replace("\u202f", "")
    negative, text = text.startswith("-"), text.lstrip("-")
    groups = re.split(r"[.,]", text)
    if len(groups) > 1 and all(len(g) == 3 for g in groups[1:]) and len(groups[0]) <= 3 and groups[0] != "0":
        whole, fraction = "".join(groups), ""
    elif len(groups) > 1:
        whole, fraction = "".join(groups[:-1]), groups[-1].rstrip("0")
    else:
        whole, fraction = text, ""
    whole = whole.lstrip("0") or "0"
    return ("-" if negative else "") + whole + (f".{fraction}" if fraction else "")


def numbers(text: str) -> list[tuple[str, int, int]]:
    """(plain form, start, end) of the numbers written in digits, with the thousand or million behind them; the first 200."""
    found = []
    for match in _NUMBER.finditer(text):
        found.append((_plain(*match.group(0, 1, 2)), match.start(), match.end()))
        if len(found) >= MAX_FACTS:
            break
    return found


def raw_numbers(text: str) -> frozenset[str]:
    """Plain forms of all numbers that `text` writes in digits."""
    return frozenset([_plain(*match.group(0, 1, 2)) for match in _NUMBER.finditer(text)])


def _plain(raw: str, word: str | None, sign: str | None) -> str:
    scale = word or sign
    if scale is None:
        return plain_number(raw.replace(" ", ""))
    number = plain_number(raw[: -len(scale)].rstrip().replace(" ", ""))
    return _written_out(number, _SCALE[scale.lower()])


@lru_cache(maxsize=4096)
def _written_out(number: str, factor: int) -> str:
    scaled = Decimal(number) * factor
    return f"{scaled.normalize():f}"


def spelled_numbers(tokens: frozenset[str]) -> frozenset[str]:
    """Plain forms of the numbers among `tokens` that are written as words, months included."""
    return frozenset([SPELLED[t] for t in tokens & SPELLED.keys()])


def counted(text: str) -> frozenset[str]:
    """How many members the lists of a JSON text have, as plain numbers: "3 flights" of a result that lists three."""
    if "[" not in text or text.lstrip()[:1] not in ("{", "["):
        return frozenset()
    try:
        waiting = [orjson.loads(text)]
    except orjson.JSONDecodeError:
        return frozenset()
    found = set[str]()
    while waiting and len(found) < MAX_FACTS:
        value = waiting.pop()
        if isinstance(value, list):
            found.add(str(len(value)))
        if isinstance(value, list | dict):
            waiting += value.values() if isinstance(value, dict) else value
    return frozenset(found)


def agrees(number: str, known: frozenset[str]) -> bool:
    """Whether a plain number is among `known`, rounded (two figures at least) or as a share of one hundred."""
    if number in known or number.lstrip("-") in known or f"-{number}" in known:
        return True
    try:
        value = float(number)
    except ValueError:
        return False
    return any(_close(value, other) for other in known)


def _close(value: float, other: str) -> bool:
    try:
        exact = float(other)
    except ValueError:
        return False
    if exact == value or (value and exact in (value * 100, value / 100) and 0 < abs(value) <= 100):
        return True
    # 12.3 stands for 12.34, but 12 does not stand for 12.4: a small whole number is a count more often than a rounding.
    places = len(f"{value:.6f}".rstrip("0").partition(".")[2])
    if places > 0:
        return round(exact, places) == value
    size = abs(value)
    if size >= _LEAST_WHOLE and not exact.is_integer() and abs(exact - value) < 1:
        return True
    return size >= _LEAST_ROUNDED and _rounds_to(exact, value)


def _rounds_to(exact: float, value: float) -> bool:
    """Whether a whole number of two figures at least, zeros at its end aside, is `exact` rounded to as many."""
    figures = len(str(abs(int(value))).rstrip("0"))
    return figures >= 2 and exact != 0 and float(f"{exact:.{figures - 1}e}") == value


def names(text: str) -> list[tuple[str, int, int]]:
    """(word, start, end) of capitalised words that do not stand at the start of a sentence, and of words in capitals.

    The first 200.
    """
    found = []
    for match in _NAME.finditer(text):
        word, start = match.group(), match.start()
        if word in _CURRENCIES:
            continue
        if not _starts_sentence(text, start) or (word.isupper() and len(word) > 2) or any(c.isupper() for c in word[1:]):
            found.append((word, start, match.end()))
            if len(found) >= MAX_FACTS:
                break
    return found


def _starts_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 4) : start].rstrip(" \"'“‘*_#(-•")
    return not before or before[-1] in ".!?:;\n…。" or start < 2


def links(text: str) -> list[tuple[str, int, int]]:
    """(text, start, end) of addresses on the web and of mail boxes."""
    if "://" not in text and "www." not in text and "@" not in text:
        return []
    return [(m.group().rstrip(".,;:!?)"), m.start(), m.end()) for m in _URL.finditer(text)][:MAX_FACTS]
