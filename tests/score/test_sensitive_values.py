import pytest

from holdfast.context.entities import Entity
from holdfast.score.sensitive_values import PUBLIC, Sensitive, finds, is_secret, weight


def test_a_placeholder_is_a_find() -> None:
    assert finds("Write to <EMAIL_ADDRESS:1a2b3c4d>.") == (Sensitive(Entity.EMAIL_ADDRESS, "<EMAIL_ADDRESS:1a2b3c4d>"),)


def test_a_value_that_redaction_was_told_to_keep_is_a_find() -> None:
    assert [f.entity for f in finds("card 4111 1111 1111 1111")] == [Entity.CREDIT_CARD]


@pytest.mark.parametrize("text", ["", "nothing here", "a <b> c", "order 4111 1111 1111 1112"])
def test_ordinary_text_has_none(text: str) -> None:
    assert finds(text) == ()


def test_an_address_of_a_role_is_public() -> None:
    assert weight(Sensitive(Entity.EMAIL_ADDRESS, "support@shop.no")) == PUBLIC
    assert weight(Sensitive(Entity.EMAIL_ADDRESS, "anna.meyer@shop.no")) > 0.5


def test_secrets_weigh_most() -> None:
    assert is_secret(Sensitive(Entity.API_KEY, "x"))
    assert not is_secret(Sensitive(Entity.US_SSN, "x"))
    assert (
        weight(Sensitive(Entity.API_KEY, "x"))
        > weight(Sensitive(Entity.US_SSN, "x"))
        > weight(Sensitive(Entity.PHONE_NUMBER, "x"))
    )
