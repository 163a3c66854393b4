"""Runs of digits: payment cards, national numbers and telephone numbers, told apart by check digits, form and context."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import pairwise

import re2

from holdfast.context import checksums
from holdfast.context.entities import Entity, Found

_BYTES = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
_BYTES.never_capture = True

RUNS = rb"[0-9](?:[ ()./-]{0,3}[0-9]){6,}"
HINTS = (
    rb"(?i)phone|\btel|mob|cell|\bfax|whats|\bsms\b|hotline|handy|t[e\xe9]l[e\xe9]|portable|m[o\xf3]vil|celular|rufnummer|msisdn"
    rb"|\b(?:call|text|ring|dial|reach)[_ ](?:me|us|him|her|them|at|on|back)"
    rb"|\bss|soc|\bsin\b|insurance|bsn|burger|sofi|ni[frn]|contrib"
    rb"|person|steuer|idnr|tax|\btin\b|pesel|cpf|rijks|regist|nrn|niss|insz|aadh|uid|ahv|avs|insee|card|visa|master|maestro|amex|american"
    rb"|credit|debit|karte|carte|tarjeta|\bpan\b|\bnas\b|\bcc\b|answering|messages|resident"
)
"""A text without any of these has no context that could name a number; it holds every word of the patterns below."""
_RUN = re2.compile(RUNS, _BYTES)
_HINT = re2.compile(HINTS, _BYTES)
_FOREIGN_HINT = re.compile("电话|電話|手机|전화|身份|телефон", re.IGNORECASE)
_GROUP = re.compile(r"[0-9]+")

MAX_DIGITS = 19
MAX_GROUPS = 8
BEFORE, AFTER = 48, 24

Sizes = tuple[int, ...]


class Number:
    """Some neighbouring groups of digits of a text, and what stands around them."""

    __slots__ = ("digits", "end", "gaps", "hinted", "plus", "sizes", "start", "text")

    def __init__(self, text: str, groups: list[tuple[int, int]], sizes: Sizes, hinted: bool) -> None:
        self.text, self.sizes, self.hinted = text, sizes, hinted
        self.start, self.end = groups[0][0], groups[-1][1]
        self.digits = "".join([text[a:b] for a, b in groups])
        self.gaps = tuple([text[a[1] : b[0]] for a, b in pairwise(groups)])
        self.plus = self.start > 0 and text[self.start - 1] == "+"

    @property
    def before(self) -> str:
        """What stands before the number, in lower case."""
        return self.text[max(0, self.start - BEFORE) : self.start].lower()

    def near(self, words: re.Pattern[str]) -> bool:
        """Whether one of `words` stands shortly before or after."""
        return self.hinted and bool(words.search(self.before) or words.search(self.text[self.end : self.end + AFTER].lower()))

    def only(self, *gaps: str) -> bool:
        """Whether its groups are parted by one and the same of `gaps`."""
        return len(set(self.gaps)) <= 1 and set(self.gaps) <= set(gaps)


class Hints:
    """Where words stand that could name a number."""

    __slots__ = ("_at",)

    def __init__(self, text: str, haystack: bytes, hinted: bool) -> None:
        self._at = [m.start() for m in _HINT.finditer(haystack)] if hinted else []
        if not text.isascii():
            self._at = sorted(self._at + [m.start() for m in _FOREIGN_HINT.finditer(text)])

    def near(self, start: int, end: int) -> bool:
        """Whether one stands shortly before `start` or after `end`."""
        at = bisect_left(self._at, start - BEFORE)
        return at < len(self._at) and self._at[at] <= end + AFTER


def find_numbers(text: str, haystack: bytes, hinted: bool) -> Iterator[Found]:
    """Cards, national numbers and telephone numbers in `text`.

    `haystack` is the same text in Latin-1, `hinted` whether one of `HINTS` is in it.
    """
    hints: Hints | None = None
    for run in _RUN.finditer(haystack):
        start, end = run.span()
        hints = hints or Hints(text, haystack, hinted)
        groups = [m.span() for m in _GROUP.finditer(text, start, end)]
        if len(groups) == 3 and end - start <= 10 and _DATE.match(text, start):
            continue
        at = 0
        while at < len(groups):
            found, used = _classify(text, groups, at, hints)
            if found is not None:
                yield found
            at += used


def _classify(text: str, groups: list[tuple[int, int]], at: int, hints: Hints) -> tuple[Found | None, int]:
    """The longest number that begins with group `at`, and how many groups it takes."""
    start = groups[at][0]
    if not _may_begin(text, start):
        return None, 1
    free = _is_free(text, groups, at)
    for stop in range(min(at + MAX_GROUPS, len(groups)), at, -1):
        sizes = tuple([b - a for a, b in groups[at:stop]])
        size = sum(sizes)
        if size < 7:
            break
        end = groups[stop - 1][1]
        if size > MAX_DIGITS or not _may_end(text, end):
            continue
        hinted = hints.near(start, end)
        if not (hinted or sizes in SHAPES or (free and size >= 8)):
            continue
        number = Number(text, groups[at:stop], sizes, hinted)
        found = card(number) or national_number(number) or phone(number)
        if found is not None:
            return found, stop - at
    return None, 1


def _is_free(text: str, groups: list[tuple[int, int]], at: int) -> bool:
    """Whether it begins as telephone numbers of any shape do: with +, ( or zeros and then another digit."""
    start, end = groups[at]
    if start and text[start - 1] in "+(":
        return True
    if text[start] != "0":
        return False
    return text[start : min(end, start + 3)].strip("0") != "" or (at + 1 < len(groups) and text[groups[at + 1][0]] != "0")


def _may_begin(text: str, start: int) -> bool:
    """Not in the middle of an identifier, a version, a price or a fraction."""
    if start == 0:
        return True
    last, before = text[start - 1], text[start - 2 : start - 1] if start > 1 else " "
    if last.isalnum() or last in "_#$€£¥":
        return False
    if last == "-":
        return not (before.isalnum() or before in "_ :,[\t\n")
    return not (last in ".,/:+" and before.isdigit()) and not (last == "." and (before.isalnum() or before == "_"))


def _may_end(text: str, end: int) -> bool:
    """As `_may_begin`, at the other end."""
    after = text[end : end + 2]
    if not after:
        return True
    if after[0].isalnum() and not _EXTENSION.match(text, end):
        return False
    if after[0] in "_%€£":
        return False
    return not (after[0] in "-.,/:" and len(after) > 1 and after[1].isdigit() and after[0] != "/")


# --- payment cards -----------------------------------------------------------------------------------------------------

_CARD_WORDS = re.compile(
    r"(?<![a-z])(?:cards?|cc|visa|master ?card|maestro|amex|american express|credit|debit|karte|carte|tarjeta|pan)(?![a-z])"
)
_CARD_SHAPES: frozenset[Sizes] = frozenset(
    ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 3), (4, 4, 4, 1), (4, 4, 4, 4, 3), (4, 4, 4))
)
_LONG = range(16, 20)
_RANGES: tuple[tuple[int, int, tuple[int, ...] | range], ...] = (
    (4000, 4999, (13, 16, 19)),  # Visa
    (5100, 5599, (16,)),  # Mastercard
    (2221, 2720, (16,)),  # Mastercard
    (3400, 3499, (15,)),  # American Express
    (3700, 3799, (15,)),
    (3000, 3059, range(14, 20)),  # Diners Club
    (3095, 3095, range(14, 20)),
    (3600, 3699, range(14, 20)),
    (3800, 3999, range(14, 20)),
    (6011, 6011, _LONG),  # Discover
    (6440, 6599, _LONG),
    (3528, 3589, _LONG),  # JCB
    (1800, 1800, (15,)),
    (2131, 2131, (15,)),
    (6200, 6299, _LONG),  # UnionPay
    (8100, 8199, _LONG),
    (2200, 2204, _LONG),  # Mir
    (6000, 6099, (16,)),  # RuPay
    (8200, 8299, (16,)),
    (5018, 5018, range(12, 20)),  # Maestro
    (5020, 5020, range(12, 20)),
    (5038, 5038, range(12, 20)),
    (5893, 5893, range(12, 20)),
    (6304, 6304, range(12, 20)),
    (6759, 6763, range(12, 20)),
)


def _by_prefix(ranges: tuple[tuple[int, int, tuple[int, ...] | range], ...]) -> dict[str, frozenset[int]]:
    """First four digits → lengths."""
    lengths: dict[str, frozenset[int]] = {}
    for low, high, allowed in ranges:
        for prefix in range(low, high + 1):
            lengths[str(prefix)] = lengths.get(str(prefix), frozenset()) | frozenset(allowed)
    return lengths


_ISSUED = _by_prefix(_RANGES)


def card(number: Number) -> Found | None:
    """Luhn, groups as they are printed, and an issuer's range and length; near a word for cards any issuer will do."""
    length = len(number.digits)
    if length < 12 or (len(number.sizes) > 1 and not (number.sizes in _CARD_SHAPES and number.only(" ", "-", "."))):
        return None
    head = number.digits[:4]
    if number.plus or not checksums.luhn(number.digits):
        return None
    if length in _ISSUED.get(head, ()) or number.near(_CARD_WORDS):
        return Found(number.start, number.end, Entity.CREDIT_CARD)
    return None


# --- national numbers --------------------------------------------------------------------------------------------------


class NationalNumber:
    """A number of `length` digits that `check` accepts.

    It counts in one of `shapes` (sizes of its groups, parted by one of `gaps`), and in any shape where one of `words` is near.
    """

    __slots__ = ("check", "entity", "gaps", "length", "shapes", "words")

    def __init__(
        self,
        entity: Entity,
        length: int,
        check: Callable[[str], bool],
        words: str,
        shapes: tuple[Sizes, ...] = (),
        gaps: str = " -.",
    ) -> None:
        self.entity, self.length, self.check = entity, length, check
        self.words = re.compile(rf"(?<![a-z])(?:{words})(?![a-z])")
        self.shapes, self.gaps = frozenset(shapes), frozenset(gaps)


NATIONAL = (
    NationalNumber(Entity.US_SSN, 9, checksums.us_ssn, r"ssns?|social security|soc\.? ?sec|social", ((3, 2, 4),), "-"),
    NationalNumber(Entity.CA_SIN, 9, checksums.luhn, r"sin|social insurance|nas"),
    NationalNumber(Entity.NL_BSN, 9, checksums.nl_bsn, r"bsn|burgerservicenummer|sofi|sofinummer"),
    NationalNumber(Entity.PT_NIF, 9, checksums.pt_nif, r"nif|contribuinte|n\.?i\.?f\.?"),
    NationalNumber(Entity.SE_PERSONNUMMER, 10, checksums.se_personnummer, r"personnummer|personnr", ((6, 4),), "-"),
    NationalNumber(Entity.SE_PERSONNUMMER, 12, checksums.se_personnummer, r"personnummer|personnr", ((8, 4),), "-"),
    NationalNumber(
        Entity.DE_TAX_ID,
        11,
        checksums.de_tax_id,
        r"steuer[ -]?id\w*|steuer\w*|idnr|tax[ _-]?id|tin|steuernummer",
        ((2, 3, 3, 3),),
        " ",
    ),
    NationalNumber(Entity.PL_PESEL, 11, checksums.pl_pesel, r"pesel\w*"),
    NationalNumber(Entity.BR_CPF, 11, checksums.br_cpf, r"cpf"),
    NationalNumber(Entity.BE_NRN, 11, checksums.be_nrn, r"rijksregister\w*|registre national|national register|nrn|niss|insz"),
    NationalNumber(Entity.IN_AADHAAR, 12, checksums.in_aadhaar, r"aadhaa?r|uidai|uid", ((4, 4, 4),), " -"),
    NationalNumber(Entity.CH_AHV, 13, checksums.ch_ahv, r"ahv|avs", ((3, 4, 4, 2), (13,)), "."),
    NationalNumber(
        Entity.FR_NIR, 15, checksums.fr_nir, r"nir|s[eé]curit[eé] sociale|insee", ((1, 2, 2, 2, 3, 3, 2), (15,), (13, 2)), " "
    ),
    NationalNumber(Entity.CN_RESIDENT_ID, 18, checksums.cn_resident_id, r"身份证|身份證|resident id", ((18,), (6, 8, 4)), " "),
)
_BY_LENGTH: dict[int, tuple[NationalNumber, ...]] = {
    n: tuple(x for x in NATIONAL if x.length == n) for n in {x.length for x in NATIONAL}
}
_MIXED_GAPS: dict[tuple[Sizes, tuple[str, ...]], Entity] = {
    ((3, 3, 3, 2), (".", ".", "-")): Entity.BR_CPF,
    ((2, 2, 2, 3, 2), (".", ".", "-", ".")): Entity.BE_NRN,
}


def national_number(number: Number) -> Found | None:
    """The national number that this is by its check digits, and by its form or context."""
    for kind in _BY_LENGTH.get(len(number.digits), ()):
        if number.plus or not kind.check(number.digits):
            continue
        shaped = number.sizes in kind.shapes and number.only(*kind.gaps) and not _OTHER.search(number.before)
        if shaped or _MIXED_GAPS.get((number.sizes, number.gaps)) == kind.entity or number.near(kind.words):
            return Found(number.start, number.end, kind.entity)
    return None


# --- telephone numbers -------------------------------------------------------------------------------------------------

_OTHER = re.compile(
    r"(?<![a-z])(?:order|invoice|ticket|case|ref|reference|sku|part|serial|tracking|isbn|issn|doi|account|acct|customer|product|item|model"
    r"|version|build|id|ids|uuid|batch|lot|policy|claim|booking|po|rfc|article|bestellung|rechnung|commande|pedido)"
    r"[\W_]{0,3}(?:no|nr|num|numbers?|ids?|code|n°)?[\W_]{0,4}\Z"
)
_PHONE_WORDS = re.compile(
    r"(?<![a-z])(?:(?:tele)?phones?|tel|mobile|mob|cell(?:ular|phone)?|fax|whats ?app|sms|hotline|handy|telefon\w*|tel[eé]fono"
    r"|t[eé]l[eé]phone|m[oó]vil|celular|portable|rufnummer|mobil\w*|msisdn|answering at|messages to"
    r"|(?:call|text|ring|dial|reach|phone)(?: (?:me|us|him|her|them|at|on|back))+)(?![a-z])"
    r"|电话|電話|手机|전화|телефон"
)
_EXTENSION = re.compile(r"[ ,]{0,2}(?:x|ext\.?|extension)[ .:]{0,2}[0-9]{1,6}(?![0-9A-Za-z])")
_CODES_1_2 = frozenset((
    "1", "7", "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
    "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
))  # fmt: skip
_CODES_3 = re.compile(r"21[1236-8]|2[2-6]\d|29[0-9]|35\d|37\d|38[0-9]|42[0-3]|5[09]\d|67\d|68\d|69[0-2]|8[057]\d|88\d|9[679]\d")
_GAPS = frozenset(("", " ", "-", ".", "/", " (", ") ", "(", ")", " - ", ")-", "  ", "-(", " (0)"))


def _country(digits: str) -> int:
    """Length of the country calling code (ITU-T E.164) that `digits` begin with, 0 without."""
    if digits[:1] in _CODES_1_2:
        return 1
    if digits[:2] in _CODES_1_2:
        return 2
    return 3 if _CODES_3.match(digits) else 0


def _international(number: Number) -> bool:
    """+, country code, and 8 to 15 digits in all."""
    digits = number.digits
    if not _country(digits) or not 8 <= len(digits) <= 16:
        return False
    return len(digits) == 11 if digits[0] in "17" else True


def _exit_code(number: Number) -> bool:
    """00 or 011, and then an international number."""
    rest = number.digits[3:] if number.digits.startswith("011") else number.digits[2:] if number.digits.startswith("00") else ""
    long_enough = 9 <= len(rest) <= 15 and bool(_country(rest)) and (rest[0] != "1" or len(rest) == 11)
    return long_enough and (len(number.sizes) > 1 or number.near(_PHONE_WORDS))


def _north_american(number: Number) -> bool:
    """Area and exchange 2-9 first, 3-3-4 with hyphens, dots or parentheses."""
    digits = number.digits[1:] if number.sizes[0] == 1 and number.digits[0] == "1" else number.digits
    sizes = number.sizes[1:] if len(digits) < len(number.digits) else number.sizes
    if len(digits) != 10 or digits[0] in "01":
        return False
    last = number.gaps[-1:] == ("-",) or number.gaps[-1:] == (".",)
    if sizes == (3, 3, 4):
        bracket = ")" in number.gaps[-2]
        return last and (bracket or (digits[3] not in "01" and number.gaps[-2] == number.gaps[-1]))
    return sizes == (3, 7) and ")" in number.gaps[-1]


def _trunk_zero(number: Number) -> bool:
    """A national number with its leading 0 and its groups: most of Europe, Asia and Oceania."""
    digits, sizes = number.digits, number.sizes
    if digits[0] != "0" or digits[1] == "0" or not 9 <= len(digits) <= (12 if len(sizes) == 2 else 11):
        return False
    if sizes == (11,):
        return digits[1] == "7"
    plain = len(sizes) >= 2 and 2 <= sizes[0] <= 5 and min(sizes) >= 2 and max(sizes[1:]) <= 9
    return plain and len(set(number.gaps)) <= 2 and not _DATE.match(number.text, number.start)


def _bracketed(number: Number) -> bool:
    """An area code in parentheses."""
    return (
        number.start > 0
        and number.text[number.start - 1] == "("
        and 2 <= number.sizes[0] <= 5
        and len(number.sizes) >= 2
        and number.gaps[0] in (")", ") ")
        and 8 <= len(number.digits) <= 12
        and 3 <= number.sizes[1] <= 8
    )


_DATE = re.compile(r"\d{1,2}([-./ ])\d{1,2}\1(?:19|20)\d\d|(?:19|20)\d\d([-./ ])\d{1,2}\2\d{1,2}")


def phone(number: Number) -> Found | None:
    """A telephone number: international, in a national form that is hard to mistake, or named as one."""
    if len(number.digits) > 17 or len(number.digits) < 7 or not _GAPS.issuperset(number.gaps):
        return None
    if number.plus:
        fits = _international(number)
    elif _exit_code(number) or _north_american(number) or _trunk_zero(number) or _bracketed(number):
        fits = not _OTHER.search(number.before)
    else:
        fits = _named(number)
    return Found(*_whole(number), Entity.PHONE_NUMBER) if fits else None


def _named(number: Number) -> bool:
    """Any other form, where the text says that it is one."""
    if (
        not number.hinted
        or len(number.digits) > 13
        or (len(number.sizes) > 1 and min(number.sizes) < 2 and number.sizes[0] != 1)
        or len(number.sizes) > 6
    ):
        return False
    if _DATE.match(number.text, number.start) or _OTHER.search(number.before):
        return False
    return bool(_PHONE_WORDS.search(number.before[-32:])) or bool(
        _PHONE_WORDS.search(number.text[number.end : number.end + 14].lower())
    )


def _whole(number: Number) -> tuple[int, int]:
    """With +, parenthesis and extension."""
    start = number.start - 1 if number.start and number.text[number.start - 1] in "+(" else number.start
    if start and number.text[start - 1] == "+":
        start -= 1
    extension = _EXTENSION.match(number.text, number.end)
    return start, extension.end() if extension else number.end


SHAPES: frozenset[Sizes] = (
    frozenset((n,) for n in range(11, MAX_DIGITS + 1))
    | _CARD_SHAPES
    | frozenset(shape for kind in NATIONAL for shape in kind.shapes)
    | frozenset(sizes for sizes, _ in _MIXED_GAPS)
    | frozenset(((3, 3, 4), (1, 3, 3, 4), (3, 7), (1, 3, 7)))
)
"""Sizes of groups that can be a number without a word that names it; those that begin with 0, + or ( have any."""
