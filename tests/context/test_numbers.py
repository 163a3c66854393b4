import time

import pytest

from holdfast.context.entities import Entity
from holdfast.context.find import find

CARD, PHONE = Entity.CREDIT_CARD, Entity.PHONE_NUMBER


def found(text: str) -> list[tuple[str, str]]:
    return [(one.entity.value, text[one.start : one.end]) for one in find(text)]


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "6200000000000005",
        "6759649826438453",
    ],
)
def test_a_card_is_found_however_it_is_printed(number: str) -> None:
    assert found(f"pay with {number} today") == [(CARD, number)]


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "1111111111111117",
        "41111111111111111111111111",
        "id_4111111111111111",
        "0x4111111111111111",
        "4111111111111111.5",
        "3.4111111111111111",
        "$4111111111111111",
        "[-4111111111111111]",
        "41 11 11 11 11 11 11 11",
        "a4111111111111111b",
    ],
)
def test_what_fails_luhn_issuer_form_or_boundary_is_no_card(text: str) -> None:
    assert found(text) == []


def test_near_a_word_for_cards_any_issuer_will_do() -> None:
    number = "3502162941615515"
    assert found(number) == []
    assert found(f"my card {number}") == [(CARD, number)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+1 415 555 2671", "+1 415 555 2671"),
        ("+14155552671", "+14155552671"),
        ("+44 7700 900123", "+44 7700 900123"),
        ("+46 (0)8 928 571 38", "+46 (0)8 928 571 38"),
        ("+49-30-901820", "+49-30-901820"),
        ("+91 98765 43210", "+91 98765 43210"),
        ("(415) 555-2671", "(415) 555-2671"),
        ("(415)555-2671", "(415)555-2671"),
        ("415-555-2671", "415-555-2671"),
        ("415.555.2671", "415.555.2671"),
        ("1-800-222-1222", "1-800-222-1222"),
        ("415-555-2671 x458", "415-555-2671 x458"),
        ("001-518-640-0854", "001-518-640-0854"),
        ("0044 20 7946 0958", "0044 20 7946 0958"),
        ("020 7946 0958", "020 7946 0958"),
        ("07700 900123", "07700 900123"),
        ("07700900123", "07700900123"),
        ("01.84.17.61.18", "01.84.17.61.18"),
        ("06 12 34 56 78", "06 12 34 56 78"),
        ("030 901820123", "030 901820123"),
        ("(08) 8747 6301", "(08) 8747 6301"),
        ("phone: 4155552671", "4155552671"),
        ('"phone_number": "4155552671"', "4155552671"),
        ("call me at 555 2671", "555 2671"),
        ("Tel. 9472 7916", "9472 7916"),
        ("mobile 612 345 678", "612 345 678"),
        ("телефон 8 912 345 67 89", "8 912 345 67 89"),
        ("+1\u00a0415\u2011555\u20112671", "+1\u00a0415\u2011555\u20112671"),
        ("tel ４１５５５５２６７１", "４１５５５５２６７１"),
        (r'{"a":"\n+14155552671"}', "+14155552671"),
    ],
)
def test_a_telephone_number_is_found(text: str, number: str) -> None:
    assert found(text) == [(PHONE, number)]


@pytest.mark.parametrize(
    "text",
    [
        "order 415-555-2671",
        "Invoice no. 415-555-2671",
        "order number 4155552671",
        "ticket #20230045612",
        "2026-11-23T05:10:00.123456Z",
        "2026-11-23 05:10:00",
        "23.11.2026 12.30",
        "01-02-2026 1100",
        "1732338600",
        "1732338600123",
        "1732338600123456789",
        "v1.22.333.4444",
        "1.2.3.4-20261123",
        "$1,234,567.89",
        "1 234 567,89 €",
        "1234567.89",
        "0.1234567891",
        "192.168.100.200",
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-1234-1234-1234-123456789012",
        "4f9c2e81a7b3120987654321",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "ISBN 978-3-16-148410-0",
        "0-306-40615-2",
        "ORD-2026-118842",
        "chatcmpl-9876543210123",
        "call_1234567890",
        "tool call id 1234567890",
        "rows 1000000 to 2000000",
        "200 300 4000",
        "1 2 3 4 5 6 7 8 9 10 11 12",
        "page 10 of 1000000",
        "3.14159265358979",
        "temperature 0.7 seed 1234567",
        "latency: 1234567 ns",
        "2,147,483,647",
        "+11",
        "+00:00",
        "2026-11-23T05:10:00+02:00",
        "12:34:56.789012",
        "C++ 2011 1234567",
        "51.507351, -0.127758",
        "sha256:1234567890123456",
    ],
)
def test_ids_times_prices_and_versions_are_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("536-90-4399", Entity.US_SSN),
        ("SSN 536904399", Entity.US_SSN),
        ("SIN: 046 454 286", Entity.CA_SIN),
        ("BSN 111222333", Entity.NL_BSN),
        ("NIF 123456789", Entity.PT_NIF),
        ("811218-9876", Entity.SE_PERSONNUMMER),
        ("86 095 742 719", Entity.DE_TAX_ID),
        ("Steuer-ID 86095742719", Entity.DE_TAX_ID),
        ("PESEL 44051401359", Entity.PL_PESEL),
        ("529.982.247-25", Entity.BR_CPF),
        ("CPF 52998224725", Entity.BR_CPF),
        ("85.07.30-033.28", Entity.BE_NRN),
        ("2341 2341 2346", Entity.IN_AADHAAR),
        ("756.9217.0769.85", Entity.CH_AHV),
        ("2 55 08 14 168 025 38", Entity.FR_NIR),
        ("255081416802538", Entity.FR_NIR),
    ],
)
def test_a_national_number_is_found_by_its_form_or_its_name(text: str, entity: Entity) -> None:
    assert [one.entity for one in find(text)] == [entity]


@pytest.mark.parametrize(
    "text",
    ["536904399", "046454286", "111222333", "86095742719", "44051401359", "part 536-90-4399", "SSN 000-12-3456", "234123412346"],
)
def test_a_bare_number_with_weak_check_digits_is_no_person(text: str) -> None:
    assert find(text) == ()


def test_the_numbers_of_one_line_are_told_apart() -> None:
    text = "4111 1111 1111 1111 12/26, +1 415 555 2671 and 415-555-2672"
    assert found(text) == [(CARD, "4111 1111 1111 1111"), (PHONE, "+1 415 555 2671"), (PHONE, "415-555-2672")]


@pytest.mark.parametrize("piece", ["1", "1 ", "12-", "(1", "+1 ", "00 ", "4111 ", "1.", "07", "phone 12 "])
def test_endless_numbers_are_done_in_linear_time(piece: str) -> None:
    text = piece * (50_000 // len(piece))
    start = time.thread_time()
    find(text)
    assert time.thread_time() - start < 3
