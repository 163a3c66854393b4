import pytest

from holdfast.context.entities import PERSONAL, SECRETS, Entity, Found, Pseudonym, RedactionPolicy, Treatment, placeholders
from holdfast.core.errors import InputError


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


@pytest.mark.parametrize("text", ["EMAIL_ADDRESS:3fa9c1d2", "<EMAIL_ADDRESS:3fa9c1d2>", " EMAIL_ADDRESS:3fa9c1d2\n"])
def test_a_pseudonym_is_read_with_and_without_its_brackets(text: str) -> None:
    found = Pseudonym.parse(text)
    assert found == Pseudonym(Entity.EMAIL_ADDRESS, "3fa9c1d2")
    assert str(found) == "EMAIL_ADDRESS:3fa9c1d2"


@pytest.mark.parametrize(
    "text",
    ["", "EMAIL_ADDRESS", "<EMAIL_ADDRESS>", "EMAIL_ADDRESS:", "EMAIL_ADDRESS:3FA9C1D2", "COLOUR:3fa9c1d2", "x" * 10_000,
     "EMAIL_ADDRESS:3fa9c1d2\nEMAIL_ADDRESS:3fa9c1d2", "EMAIL_ADDRESS:3fa9c1d2:3fa9c1d2"],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_pseudonym_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no pseudonym") as caught:
        Pseudonym.parse(text)
    assert len(str(caught.value)) < 300


def test_an_application_can_seal_what_describes_a_person() -> None:
    policy = RedactionPolicy(services={"shop": {Entity.EMAIL_ADDRESS: Treatment.SEAL, Entity.JWT: Treatment.DROP}, "crm": {}})
    assert policy.seals
    assert policy.sealed("shop") == {Entity.EMAIL_ADDRESS}
    assert policy.sealed("crm") == policy.sealed("other") == frozenset()
    assert not RedactionPolicy(services={"crm": {Entity.JWT: Treatment.KEEP}}).seals


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_a_secret_is_never_sealed(secret: Entity) -> None:
    with pytest.raises(ValueError, match=f"{secret} opens a door"):
        RedactionPolicy(services={"shop": {secret: Treatment.SEAL}})


def test_nothing_is_sealed_for_all_applications_at_once() -> None:
    with pytest.raises(ValueError, match="of one application"):
        RedactionPolicy(default=Treatment.SEAL)
    with pytest.raises(ValueError, match="of one application"):
        RedactionPolicy(entities={Entity.EMAIL_ADDRESS: Treatment.SEAL})
