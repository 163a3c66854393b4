import pytest

from holdfast.context.accounts import IBAN_LENGTHS, find_ibans, find_persons
from holdfast.context.entities import Entity


def ibans(text: str) -> list[str]:
    return [text[f.start : f.end] for f in find_ibans(text, text.encode("latin-1", "replace"))]


def persons(text: str) -> list[tuple[str, str]]:
    return [(f.entity.value, text[f.start : f.end]) for f in find_persons(text, text.encode("latin-1", "replace"))]


@pytest.mark.parametrize(
    "iban",
    [
        "GB82WEST12345698765432",
        "GB82 WEST 1234 5698 7654 32",
        "gb82west12345698765432",
        "DE89 3704 0044 0532 0130 00",
        "FR14 2004 1010 0505 0001 3M02 606",
        "NO93 8601 1117 947",
        "MT84MALT011000012345MTLCAST001S",
    ],
)
def test_an_iban_is_found_however_it_is_written(iban: str) -> None:
    assert ibans(f"pay to {iban}, please") == [iban]
    assert ibans(f"{iban} thank you") == [iban]


@pytest.mark.parametrize(
    "text",
    [
        "GB83WEST12345698765432",
        "GB82WEST1234569876543",
        "GB82WEST123456987654321",
        "XX82WEST12345698765432",
        "in12 lots of words that follow on",
        "ES12 is a region",
        "commit de89370400440532013000ab",
    ],
)
def test_what_has_a_wrong_check_length_or_country_is_no_iban(text: str) -> None:
    assert ibans(text) == []


def test_lengths_are_within_the_standard() -> None:
    assert all(15 <= length <= 34 for length in IBAN_LENGTHS.values())


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("DNI 12345678Z", Entity.ES_NIF, "12345678Z"),
        ("NIE X1234567L", Entity.ES_NIE, "X1234567L"),
        ("codice RSSMRA85T10A562S ok", Entity.IT_FISCAL_CODE, "RSSMRA85T10A562S"),
        ("NI AB 12 34 56 C.", Entity.UK_NINO, "AB 12 34 56 C"),
        ("National Insurance number AB123456C", Entity.UK_NINO, "AB123456C"),
        ("hetu 131052-308T", Entity.FI_HETU, "131052-308T"),
        ("hetu 131052A308T", Entity.FI_HETU, "131052A308T"),
        ("11010519491231002X", Entity.CN_RESIDENT_ID, "11010519491231002X"),
    ],
)
def test_a_national_number_with_a_letter_is_found(text: str, entity: Entity, value: str) -> None:
    assert persons(text) == [(entity, value)]


@pytest.mark.parametrize(
    "text",
    [
        "12345678A",
        "X1234567A",
        "RSSMRA85T10A562A",
        "part AB123456C",
        "BG 12 34 56 C",
        "sku-12345678Z",
        "131052-308A",
        "11010519491231003X",
        "deadbeef12345678Zcafe",
    ],
)
def test_a_product_code_is_no_person(text: str) -> None:
    assert persons(text) == []
