"""Identifiers of letters and digits: IBANs and national numbers with a letter in them."""

import re
from collections.abc import Iterator

import re2

from holdfast.context import checksums
from holdfast.context.entities import Entity, Found

_BYTES = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
_BYTES.never_capture = True

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
"""Length of an IBAN by country: SWIFT, IBAN Registry."""

IBANS = rb"(?i)\b(?:" + "|".join(IBAN_LENGTHS).encode() + rb")[0-9]{2}[ -]?[0-9A-Z]{3}"
PERSONS = (
    rb"(?i)\b(?:[XYZ]-?[0-9]{7}-?[A-Z]|[0-9]{8}-?[A-Z]"
    rb"|[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]"
    rb"|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]"
    rb"|[0-9]{17}X|[0-9]{6}[-+A][0-9]{3}[0-9A-Y])\b"
)
_IBAN = re2.compile(IBANS, _BYTES)
_PERSON = re2.compile(PERSONS, _BYTES)

_REST = re.compile(r"(?:[ -]?[0-9A-Za-z]){11,34}")
_NINO = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-Z]{2}( ?)\d{2}( ?)\d{2}( ?)\d{2}( ?)[A-D]\Z")
_NINO_WORDS = re.compile(r"(?<![a-z])(?:nino|national insurance|ni (?:number|no)|insurance number)(?![a-z])")


def find_ibans(text: str, haystack: bytes) -> Iterator[Found]:
    """IBANs with their country's length and right check digits (ISO 13616), with or without spaces."""
    done = 0
    for match in _IBAN.finditer(haystack):
        start = match.start()
        rest = _REST.match(text, start) if start >= done else None
        end = _cut(rest[0], IBAN_LENGTHS[text[start : start + 2].upper()]) if rest else 0
        if end and not text[start + end : start + end + 1].isalnum():
            done = start + end
            yield Found(start, done, Entity.IBAN_CODE)


def _cut(candidate: str, length: int) -> int:
    """Offset behind the first `length` letters and digits of `candidate` if they are an IBAN, else 0."""
    compact = "".join(c for c in candidate if c.isalnum())[:length].upper()
    if len(compact) < length or not compact.isascii() or not checksums.mod_97_10(compact):
        return 0
    seen = 0
    for offset, char in enumerate(candidate):
        seen += char.isalnum()
        if seen == length:
            return offset + 1
    return 0


def find_persons(text: str, haystack: bytes) -> Iterator[Found]:
    """National numbers that hold a letter."""
    for match in _PERSON.finditer(haystack):
        start, end = match.span()
        entity = _person(text, start, end)
        if entity is not None:
            yield Found(start, end, entity)


def _person(text: str, start: int, end: int) -> Entity | None:
    value = text[start:end]
    compact = value.replace("-", "").replace(" ", "").upper()
    if start and text[start - 1] in "-.#":
        return None
    if compact[0] in "XYZ" and len(compact) == 9 and compact[1:8].isdigit():
        return Entity.ES_NIE if checksums.es_letter("XYZ".index(compact[0]).__str__() + compact[1:8], compact[8]) else None
    if len(compact) == 9 and compact[:8].isdigit():
        return Entity.ES_NIF if value[-1].isupper() and checksums.es_letter(compact[:8], compact[8]) else None
    if len(compact) == 16 and compact[0].isalpha():
        return Entity.IT_FISCAL_CODE if checksums.it_fiscal_code(compact) else None
    if len(compact) == 18:
        return Entity.CN_RESIDENT_ID if checksums.cn_resident_id(compact) else None
    if compact[:6].isdigit():
        return Entity.FI_HETU if checksums.fi_hetu(compact[:6] + compact[-4:-1], compact[-1]) else None
    return Entity.UK_NINO if _is_nino(text, start, value) else None


def _is_nino(text: str, start: int, value: str) -> bool:
    """HM Revenue & Customs' prefixes; without spaces only where the text says what it is."""
    match = _NINO.match(value)
    if match is None:
        return False
    return all(match.groups()) or bool(_NINO_WORDS.search(text[max(0, start - 48) : start].lower()))
