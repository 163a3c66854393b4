import pytest

from holdfast.score.facts import agrees, counted, links, names, numbers, plain_number, raw_numbers, spelled_numbers


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("1,000", "1000"),
        ("1.000", "1000"),
        ("1'000'000", "1000000"),
        ("1\u202f000", "1000"),
        ("1,234.50", "1234.5"),
        ("1.234,50", "1234.5"),
        ("3.50", "3.5"),
        ("3,5", "3.5"),
        ("007", "7"),
        ("0.5", "0.5"),
        ("0", "0"),
        ("5.0", "5"),
    ],
)
def test_two_spellings_of_a_number_are_one(written: str, plain: str) -> None:
    assert plain_number(written) == plain


def test_numbers_are_told_with_their_place() -> None:
    assert numbers("pay $1,299.00 by 3 May") == [("1299", 5, 13), ("3", 17, 18)]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("about 114.2k units", "114200"),
        ("1.2 million people", "1200000"),
        ("0,11 Mio. Euro", "110000"),
        ("3 Mrd Euro", "3000000000"),
        ("12万円", "120000"),
        ("koszt 114 206 zł", "114206"),
        ("coûte 114 206,50 €.", "114206.5"),
        ("5 km", "5"),
        ("5 m", "5"),
        ("10 kg", "10"),
    ],
)
def test_a_number_is_read_with_its_thousands_and_millions(text: str, plain: str) -> None:
    assert [number for number, _, _ in numbers(text)] == [plain]
    assert raw_numbers(text) == {plain}


def test_a_currency_is_no_name() -> None:
    assert names("The total is 114 EUR or 120 USD.") == []


def test_a_thousand_numbers_are_not_all_read() -> None:
    assert len(numbers("7 " * 1000)) == 200


@pytest.mark.parametrize(
    ("number", "known", "same"),
    [
        ("12.3", {"12.34"}, True),
        ("12", {"12.4"}, False),
        ("20", {"0.2"}, True),
        ("0.2", {"20"}, True),
        ("30", {"13"}, False),
        ("30", {"300"}, False),
        ("2025", {"2026"}, False),
        ("5", set(), False),
        ("114206", {"114205.77"}, True),
        ("114205", {"114205.77"}, True),
        ("114207", {"114205.77"}, False),
        ("114200", {"114205.77"}, True),
        ("114300", {"114205.77"}, False),
        ("110000", {"114205"}, True),
        ("100000", {"114205"}, False),
        ("1200000", {"1234567"}, True),
        ("2020", {"2016"}, False),
        ("1250", {"1254"}, False),
        ("52000", {"50000"}, False),
    ],
)
def test_a_number_agrees_with_itself_its_rounding_and_its_percentage_only(number: str, known: set[str], same: bool) -> None:
    assert agrees(number, frozenset(known)) is same


def test_numbers_may_be_spelled() -> None:
    assert {"5", "12", "9", "3"} <= spelled_numbers(frozenset(["five", "zwölf", "septiembre", "third"]))


def test_a_sentence_may_begin_with_any_word_but_a_name_in_it_is_a_name() -> None:
    found = [name for name, _, _ in names("The refund goes to Anna Meyer. It takes a while. NASA and iPhone X do too.")]
    assert found == ["Anna", "Meyer", "NASA"]


def test_links_and_mail_boxes_are_facts() -> None:
    found = [link for link, _, _ in links("See https://shop.example/returns?id=1. Write to help@shop.example!")]
    assert found == ["https://shop.example/returns?id=1", "help@shop.example"]
    assert links("no link here") == []


def test_all_numbers_of_a_text_are_known() -> None:
    assert raw_numbers("1,000 of 2.5") == {"1000", "2.5"}


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ('{"date": "2026-12-05", "options": [{"stops": []}, {}, {}]}', {"0", "3"}),
        ("[1, 2]", {"2"}),
        ('{"a": 1}', set()),
        ("[1] See the terms", set()),
        ('{"options": [1, 2', set()),
        ("", set()),
    ],
)
def test_members_of_lists_are_counted(text: str, counts: set[str]) -> None:
    assert counted(text) == counts
