"""What can be sensitive, what is to be done with it, and the placeholder that stands in its place."""

import re
from enum import StrEnum
from typing import Self

import msgspec

from holdfast.core.errors import InputError


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
    SEAL = "seal"
    """Pseudonymised, and the original goes to the vault. For named entities of a named application only, never for secrets."""


class RedactionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Treatment by entity, and by application where one differs.

    Args:
        default: for every entity that is not named.
        entities: entity → treatment, for all applications.
        services: `service.name` → entity → treatment; what it does not name follows `entities`.

    Raises:
        ValueError: `seal` stands where it must not: for all applications, or for a secret.
    """

    default: Treatment = Treatment.PSEUDONYMISE
    entities: dict[Entity, Treatment] = {}
    services: dict[str, dict[Entity, Treatment]] = {}

    def __post_init__(self) -> None:
        """Checks where `seal` stands."""
        if Treatment.SEAL in (self.default, *self.entities.values()):
            raise ValueError("seal: is said of the entities of one application, never of all applications")
        for service in self.services:
            if secrets := sorted(self.sealed(service) & SECRETS):
                raise ValueError(f"seal: {secrets[0]} opens a door, and is kept nowhere")

    @property
    def seals(self) -> bool:
        """Whether originals of any application are kept."""
        return any(self.sealed(service) for service in self.services)

    def sealed(self, service: str) -> frozenset[Entity]:
        """The entities of `service` whose originals are kept."""
        return frozenset(e for e, t in self.services.get(service, {}).items() if t is Treatment.SEAL)

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


class Pseudonym(msgspec.Struct, frozen=True, order=True):
    """What stands for a value: its entity, and eight hex digits that are the same for the same value."""

    entity: Entity
    digits: str

    def __str__(self) -> str:
        """Such as ``EMAIL_ADDRESS:3fa9c1d2``."""
        return f"{self.entity}:{self.digits}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pseudonym that ``EMAIL_ADDRESS:3fa9c1d2`` writes, with or without its angle brackets.

        Raises:
            InputError: it is none.
        """
        bare = text.strip().removeprefix("<").removesuffix(">")
        entity, _, digits = bare.partition(":")
        if not digits or not PLACEHOLDER.fullmatch(f"<{bare}>"):
            raise InputError(f"{text[:80]!r} is no pseudonym, such as EMAIL_ADDRESS:3fa9c1d2", "pseudonym")
        return cls(Entity(entity), digits)
