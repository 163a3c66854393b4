"""Personal data and secrets in a text: placeholders that redaction left, and values that it was told to keep."""

import re
from typing import NamedTuple

from holdfast.context.entities import SECRETS, Entity, placeholders
from holdfast.context.find import find


class Sensitive(NamedTuple):
    """A find: its kind, and its text as it stands there, a placeholder or the value itself."""

    entity: Entity
    text: str


WEIGHTS: dict[Entity, float] = {
    Entity.PRIVATE_KEY: 0.98,
    Entity.API_KEY: 0.97,
    Entity.JWT: 0.95,
    Entity.PASSWORD: 0.95,
    Entity.CREDIT_CARD: 0.95,
    Entity.IBAN_CODE: 0.9,
    Entity.EMAIL_ADDRESS: 0.6,
    Entity.PHONE_NUMBER: 0.6,
}
"""Kind → probability that showing one to somebody who did not have it is a leak."""
NATIONAL_ID = 0.9
PUBLIC = 0.05
"""The same for the address of a role, or one made up as an example."""

_ROLE = re.compile(
    r"^(?:support|info|help|contact|sales|service|hello|admin|office|billing|no-?reply|team|privacy|press|feedback"
    r"|customer\w*|legal|security|care|orders?|returns?)(?:[.+-]\w*)?@"
    r"|@(?:example|test|domain|email|company|yourcompany)\.",
    re.IGNORECASE,
)
MAX_FINDS = 50


def finds(text: str) -> tuple[Sensitive, ...]:
    """The sensitive values of `text`, at most 50."""
    found = (*placeholders(text), *find(text))
    return tuple([Sensitive(f.entity, text[f.start : f.end]) for f in found[:MAX_FINDS]])


def weight(sensitive: Sensitive) -> float:
    """Probability that showing this value is a leak."""
    if sensitive.entity is Entity.EMAIL_ADDRESS and _ROLE.search(sensitive.text):
        return PUBLIC
    return WEIGHTS.get(sensitive.entity, NATIONAL_ID)


def is_secret(sensitive: Sensitive) -> bool:
    """Whether the value opens a door."""
    return sensitive.entity in SECRETS
