import pytest

from holdfast.context.entities import PERSONAL, SECRETS, Entity, Found, RedactionPolicy, Treatment, placeholders


def test_everything_is_pseudonymised_unless_told_otherwise() -> None:
    assert {RedactionPolicy().treatment(entity, "any") for entity in Entity} == {Treatment.PSEUDONYMISE}


def test_an_application_follows_its_own_treatment_and_else_the_common_one() -> None:
    policy = RedactionPolicy(
        default=Treatment.DROP,
        entities={Entity.EMAIL_ADDRESS: Treatment.PSEUDONYMISE},
        services={"crm": {Entity.PHONE_NUMBER: Treatment.KEEP}},
    )
    assert policy.treatment(Entity.PHONE_NUMBER, "crm") is Treatment.KEEP
    assert policy.treatment(Entity.EMAIL_ADDRESS, "crm") is Treatment.PSEUDONYMISE
    assert policy.treatment(Entity.JWT, "crm") is Treatment.DROP
    assert policy.treatment(Entity.PHONE_NUMBER, "shop") is Treatment.DROP


def test_secrets_and_personal_data_are_all_there_is() -> None:
    assert frozenset(Entity) == SECRETS | PERSONAL
    assert not SECRETS & PERSONAL


def test_placeholders_are_found_with_their_place() -> None:
    text = "to <EMAIL_ADDRESS:3fa9c1d2> or <PHONE_NUMBER>"
    assert placeholders(text) == (Found(3, 27, Entity.EMAIL_ADDRESS), Found(31, 45, Entity.PHONE_NUMBER))


@pytest.mark.parametrize(
    "text",
    ["", "<b>", "<EMAIL_ADDRESS:xyz>", "<EMAIL_ADDRESS:3fa9c1d2", "<FAVOURITE_COLOUR:3fa9c1d2>", "<EMAIL_ADDRESS:3fa9c1d2aa>"],
)
def test_what_only_looks_like_a_placeholder_is_none(text: str) -> None:
    assert placeholders(text) == ()
