import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.context import checksums as c

VALID = [
    (c.luhn, "4111111111111111"),
    (c.verhoeff, "2363"),
    (c.mod_97_10, "GB82WEST12345698765432"),
    (c.ean13, "7569217076985"),
    (c.us_ssn, "536904399"),
    (c.nl_bsn, "111222333"),
    (c.pt_nif, "123456789"),
    (c.de_tax_id, "86095742719"),
    (c.pl_pesel, "44051401359"),
    (c.br_cpf, "52998224725"),
    (c.be_nrn, "85073003328"),
    (c.in_aadhaar, "234123412346"),
    (c.fr_nir, "255081416802538"),
    (c.ch_ahv, "7569217076985"),
    (c.se_personnummer, "8112189876"),
    (c.cn_resident_id, "11010519491231002X"),
    (c.it_fiscal_code, "RSSMRA85T10A562S"),
]


@pytest.mark.parametrize(("check", "number"), VALID, ids=[f"{f.__name__}-{n}" for f, n in VALID])
def test_a_valid_number_passes(check: object, number: str) -> None:
    assert callable(check)
    assert check(number)


WITH_CHECK_DIGIT = [(f, n) for f, n in VALID if f is not c.us_ssn]


@pytest.mark.parametrize(("check", "number"), WITH_CHECK_DIGIT, ids=[f.__name__ for f, n in WITH_CHECK_DIGIT])
def test_a_mistyped_last_character_is_noticed(check: object, number: str) -> None:
    assert callable(check)
    others = [d for d in "0123456789" if d != number[-1]]
    if number[-1].isalpha() and check is c.it_fiscal_code:
        others = [d for d in "ABCDEFGHIJ" if d != number[-1]]
    assert not any(check(number[:-1] + other) for other in others)


def test_letters_of_spanish_and_finnish_numbers_are_checked() -> None:
    assert c.es_letter("12345678", "Z")
    assert not c.es_letter("12345678", "A")
    assert c.fi_hetu("131052308", "T")
    assert not c.fi_hetu("131052308", "A")
    assert not c.fi_hetu("991352308", "T")


@pytest.mark.parametrize("number", ["000123456", "666123456", "900123456", "123004567", "123450000"])
def test_a_social_security_number_that_was_never_issued_fails(number: str) -> None:
    assert not c.us_ssn(number)


@pytest.mark.parametrize(
    ("check", "number"),
    [
        (c.br_cpf, "11111111111"),
        (c.nl_bsn, "000000000"),
        (c.de_tax_id, "06095742719"),
        (c.de_tax_id, "12345678903"),
        (c.pl_pesel, "44991401359"),
        (c.cn_resident_id, "110105194913310020"),
        (c.be_nrn, "85990003328"),
        (c.in_aadhaar, "134123412346"),
        (c.pt_nif, "423456789"),
        (c.ch_ahv, "4006381333931"),
    ],
)
def test_a_number_that_nobody_can_have_fails(check: object, number: str) -> None:
    assert callable(check)
    assert not check(number)


def test_a_belgian_born_after_1999_has_a_two_in_front_of_the_calculation() -> None:
    body = "000101001"
    check = 97 - int("2" + body) % 97
    assert c.be_nrn(f"{body}{check:02d}")


@given(st.text("0123456789", min_size=1, max_size=18))
def test_luhn_has_exactly_one_right_check_digit(body: str) -> None:
    assert sum(c.luhn(body + d) for d in "0123456789") == 1


@given(st.text("0123456789", min_size=1, max_size=18))
def test_verhoeff_has_exactly_one_right_check_digit(body: str) -> None:
    assert sum(c.verhoeff(body + d) for d in "0123456789") == 1
