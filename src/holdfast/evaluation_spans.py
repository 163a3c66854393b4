"""How well spans of personal data are found: families of types, parts of one address joined, overlap by half."""

import re
from collections.abc import Iterable, Sequence

from holdfast.evaluation_figures import ratio

Span = tuple[int, int, str]

FAMILIES = {
    "person": "PERSON PER NAME FIRST_NAME LAST_NAME FIRSTNAME LASTNAME MIDDLENAME FULL_NAME GIVENNAME SURNAME PATIENT DOCTOR",
    "place": "STREET_ADDRESS ADDRESS LOCATION LOC GPE CITY COUNTRY STATE COUNTY STREET ZIP_CODE ZIP ZIPCODE POSTCODE"
    " BUILDING BUILDINGNUM SECONDARYADDRESS FAC",
    "organisation": "ORGANIZATION ORG COMPANY COMPANYNAME HOSPITAL",
    "time": "DATE_TIME DATE TIME DOB DATE_OF_BIRTH BIRTHDAY DATETIME",
    "group": "NRP NORP NATIONALITY",
    "title": "TITLE JOB JOBTITLE PREFIX PROFESSION JOBAREA",
    "phone": "PHONE_NUMBER PHONE PHONENUMBER TELEPHONE TELEPHONENUM FAX",
    "mail": "EMAIL_ADDRESS EMAIL",
    "card": "CREDIT_CARD CREDITCARDNUMBER CREDIT_CARD_NUMBER",
    "account": "IBAN_CODE IBAN US_BANK_NUMBER ACCOUNTNUMBER BANK_ACCOUNT",
    "link": "DOMAIN_NAME URL",
    "network": "IP_ADDRESS IP IPV4 IPV6",
    "user": "USERNAME USER_NAME USER",
    "number": "ID US_DRIVER_LICENSE US_PASSPORT US_ITIN PASSPORT DRIVERLICENSE LICENSE_PLATE VEHICLEVRM IDCARD MEDICAL_LICENSE"
    " US_SSN SSN SOCIALNUMBER TAXNUM UK_NHS NRIC",
}
"""Family → the names of its types in public data sets. Any other type is a family of its own."""

_FAMILY = {name: family for family, names in FAMILIES.items() for name in names.split()}
_BETWEEN_PLACES = re.compile(r"[\s,.;:>|*()/\-]*")
_BLANK = re.compile(r"\s+")


def family(kind: str) -> str:
    """Family of a type, whatever data set it comes from; empty for an empty one."""
    return _FAMILY.get(kind.upper().replace(" ", "_"), kind)


def joined(text: str, spans: Iterable[Span]) -> list[Span]:
    """Spans with families for types, in order; neighbours of one family made one: parts of an address, first and last name.

    Data sets differ in whether a house number, a street and a town are one span or three; what is found is the same.
    """
    found: list[Span] = []
    for start, end, kind in sorted(spans):
        name = family(kind)
        if found and found[-1][2] == name and _near(text, found[-1][1], start, name):
            found[-1] = (found[-1][0], max(end, found[-1][1]), name)
        else:
            found.append((start, end, name))
    return found


def _near(text: str, end: int, start: int, name: str) -> bool:
    between = _BETWEEN_PLACES if name == "place" else _BLANK
    return between.fullmatch(text, end, max(start, end)) is not None


def spans_found(said: Sequence[Sequence[Span]], truth: Sequence[Sequence[Span]]) -> dict[str, float | None]:
    """Span precision, recall and F2 over texts: a span counts that shares with one of its family half of their union.

    F2 = 5·P·R / (4·P + R). A type that the label leaves empty matches any. None where nothing is labelled.
    """
    hits = 0
    for own, labelled in zip(said, truth, strict=True):
        left = list(labelled)
        for span in own:
            match = next((t for t in left if same(span, t)), None)
            if match is not None:
                left.remove(match)
                hits += 1
    precision, recall = ratio(hits, sum(map(len, said))), ratio(hits, sum(map(len, truth)))
    together = 4 * (precision or 0.0) + (recall or 0.0)
    f2 = None if recall is None else ratio(5 * (precision or 0.0) * recall, together) if together else 0.0
    return {"span_precision": precision, "span_recall": recall, "span_f2": f2}


def same(said: Span, true: Span) -> bool:
    """Whether two spans are about the same thing."""
    if true[2] and said[2] != true[2]:
        return False
    shared = min(said[1], true[1]) - max(said[0], true[0])
    return shared > 0 and shared >= 0.5 * (max(said[1], true[1]) - min(said[0], true[0]))
