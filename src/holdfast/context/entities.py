"""What can be sensitive, what is to be done with it, and the placeholder that stands in its place."""

import re
from enum import StrEnum

import msgspec


class Entity(StrEnum):
    """A kind of sensitive value. The names are Presidio's where it has one."""

    API_KEY = "API_KEY"
    JWT = "JWT"
    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a kind, not a password
    PRIVATE_KEY = "PRIVATE_KEY"
    EMAIL_ADDRESS = "EMAIL_ADDRESS"
    PHONE_NUMBER = "PHONE_NUMBER"
    CREDIT_CARD = "CREDIT_CARD"
    IBAN_CODE = "IBAN_CODE"
    BE_NRN = "BE_NRN"
    BR_CPF = "BR_CPF"
    CA_SIN = "CA_SIN"
    CH_AHV = "CH_AHV"
    CN_RESIDENT_ID = "CN_RESIDENT_ID"
    DE_TAX_ID = "DE_TAX_ID"
    ES_NIE = "ES_NIE"
    ES_NIF = "ES_NIF"
    FI_HETU = "FI_HETU"
    FR_NIR = "FR_NIR"
    IN_AADHAAR = "IN_AADHAAR"
    IT_FISCAL_CODE = "IT_FISCAL_CODE"
    NL_BSN = "NL_BSN"
    PL_PESEL = "PL_PESEL"
    PT_NIF = "PT_NIF"
    SE_PERSONNUMMER = "SE_PERSONNUMMER"
    UK_NINO = "UK_NINO"
    US_SSN = "US_SSN"


SECRETS = frozenset({Entity.API_KEY, Entity.JWT, Entity.PASSWORD, Entity.PRIVATE_KEY})
"""Values that open a door, as opposed to those that describe a person."""

PERSONAL = frozenset(Entity) - SECRETS


class Found(msgspec.Struct, frozen=True, order=True):
    """A sensitive value: `start` and `end` are offsets in characters, `end` exclusive."""

    start: int
    end: int
    entity: Entity


class Treatment(StrEnum):
    """What is done with a kind of sensitive value before it is stored."""

    KEEP = "keep"
    PSEUDONYMISE = "pseudonymise"
    DROP = "drop"


class RedactionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Treatment by entity, and by application where one differs.

    Args:
        default: for every entity that is not named.
        entities: entity → treatment, for all applications.
        services: `service.name` → entity → treatment; what it does not name follows `entities`.
    """

    default: Treatment = Treatment.PSEUDONYMISE
    entities: dict[Entity, Treatment] = {}
    services: dict[str, dict[Entity, Treatment]] = {}

    def treatment(self, entity: Entity, service: str = "") -> Treatment:
        """What is done with `entity` in the telemetry of `service`."""
        own = self.services.get(service, {})
        return own.get(entity) or self.entities.get(entity, self.default)


PSEUDONYM_DIGITS = 8
PLACEHOLDER = re.compile(rf"<({'|'.join(Entity)})(?::[0-9a-f]{{{PSEUDONYM_DIGITS}}})?>")


def placeholders(text: str) -> tuple[Found, ...]:
    """The placeholders that redaction left in `text`, in order."""
    if "<" not in text:
        return ()
    return tuple(Found(m.start(), m.end(), Entity(m[1])) for m in PLACEHOLDER.finditer(text))
