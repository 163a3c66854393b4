"""Roles include the ones before them, per application or everywhere."""

import pytest

from holdfast.access.roles import ForbiddenError, Identity, Role, parse_grants, parse_scope
from holdfast.core.errors import InputError


@pytest.mark.parametrize("held", list(Role))
@pytest.mark.parametrize("needed", list(Role))
def test_a_role_includes_itself_and_the_weaker_ones(held: Role, needed: Role) -> None:
    order = list(Role)
    identity = Identity(actor="user:x", grants={"shop": held})
    assert identity.may(needed, "shop") == (order.index(held) >= order.index(needed))
    assert not identity.may(needed, "other")
    assert not identity.may(needed)


def test_the_stronger_of_two_grants_counts() -> None:
    identity = Identity(actor="user:x", grants={"*": Role.RESPONDER, "shop": Role.VIEWER, "bank": Role.ADMIN})
    assert (identity.role("shop"), identity.role("bank"), identity.role()) == (Role.RESPONDER, Role.ADMIN, Role.RESPONDER)
    assert identity.may_anywhere(Role.ADMIN)


def test_a_refusal_says_which_role_is_needed_where() -> None:
    with pytest.raises(ForbiddenError, match="approver on shop"):
        Identity(actor="user:x", grants={}).must(Role.APPROVER, "shop")
    with pytest.raises(ForbiddenError, match="admin on all applications"):
        Identity(actor="user:x", grants={"shop": Role.ADMIN}).must(Role.ADMIN)


@pytest.mark.parametrize(
    ("scope", "writing", "area", "allowed"),
    [
        ("read:*", False, "calls", True),
        ("read:*", True, "calls", False),
        ("write:*", True, "calls", True),
        ("write:*", True, "reveals", False),
        ("read:*", False, "reveals", False),
        ("write:reveals", True, "reveals", True),
        ("write:incidents", False, "incidents", True),
        ("write:incidents", True, "calls", False),
        ("read:incidents", True, "incidents", False),
    ],
)
def test_a_scope_covers_its_area_and_writing_includes_reading(scope: str, writing: bool, area: str, allowed: bool) -> None:
    assert parse_scope(scope).allows(writing, area) is allowed
    assert str(parse_scope(scope)) == scope


@pytest.mark.parametrize("text", ["", "read", "read:", "delete:x", "read:X", "read:a b", "*:*", "read:*x"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no scope"):
        parse_scope(text)


@pytest.mark.parametrize("grants", [{"": "viewer"}, {"x" * 257: "viewer"}, {"a\nb": "viewer"}, {"shop": "owner"}])
def test_grants_that_make_no_sense_are_refused(grants: dict[str, str]) -> None:
    with pytest.raises(InputError):
        parse_grants(grants)
