"""Oneself, users and tokens."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from holdfast.access.access import LONGEST_TOKEN_S, TokenOrder
from holdfast.access.roles import Identity, Role
from holdfast.api.context import Context, Who, requires
from holdfast.core.clock import to_iso
from holdfast.ledger.accounts import Token, User

router = APIRouter(prefix="/api/v1", tags=["access"])

Admin = Annotated[Identity, Depends(requires(Role.ADMIN))]
Grants = Annotated[dict[str, Role], Field(max_length=1_000, description="Application, or * for all, to role.")]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Password = Annotated[str, Field(min_length=12, max_length=256)]


class Body(BaseModel):
    """A request's body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class NewUser(Body):
    """A local account."""

    name: Name
    password: Password
    grants: Grants


class ChangedUser(Body):
    """What an account may do from now on. Its sessions end."""

    grants: Grants
    disabled: bool = False


class NewPassword(Body):
    """A password."""

    password: Password


class NewToken(Body):
    """A token. Without scopes it may do whatever its role may."""

    name: Name
    grants: Grants
    scopes: Annotated[list[str], Field(max_length=50)] = []
    lifetime_s: Annotated[int, Field(ge=60, le=LONGEST_TOKEN_S)] = 30 * 86_400


@router.get("/me")
def me(who: Who) -> dict[str, Any]:
    """Who asks, and what they may do."""
    return {
        "actor": who.actor,
        "grants": who.grants,
        "scopes": None if who.scopes is None else [str(scope) for scope in who.scopes],
    }


@router.get("/users")
def list_users(context: Context, _: Admin) -> list[dict[str, Any]]:
    """Every account, by name."""
    return [_user(user) for user in context.access.accounts.users()]


@router.post("/users", status_code=201)
def add_user(context: Context, who: Admin, body: NewUser) -> dict[str, Any]:
    """Makes a local account."""
    grants = {application: role.value for application, role in body.grants.items()}
    return _user(context.access.add_user(who, body.name, body.password, grants))


@router.put("/users/{name}")
def change_user(context: Context, who: Admin, name: str, body: ChangedUser) -> dict[str, Any]:
    """Sets roles, lets in or not."""
    grants = {application: role.value for application, role in body.grants.items()}
    return _user(context.access.change_user(who, name, grants, body.disabled))


@router.put("/users/{name}/password", status_code=204, response_class=Response)
def set_password(context: Context, who: Who, name: str, body: NewPassword) -> None:
    """Administrators set anybody's, everybody else their own. Its sessions end."""
    context.access.set_password(who, name, body.password)


@router.get("/tokens")
def list_tokens(context: Context, _: Admin) -> list[dict[str, Any]]:
    """Every token, the newest first, without secrets."""
    return [_token(token) for token in context.access.accounts.tokens()]


@router.post("/tokens", status_code=201)
def issue_token(context: Context, who: Admin, body: NewToken) -> dict[str, Any]:
    """Makes a token. Its secret is in this answer and nowhere else."""
    grants = {application: role.value for application, role in body.grants.items()}
    order = TokenOrder(name=body.name, grants=grants, scopes=tuple(body.scopes), lifetime_s=body.lifetime_s)
    made = context.access.issue_token(who, order)
    return {**_token(made.token), "secret": made.secret}


@router.delete("/tokens/{token_id}", status_code=204, response_class=Response)
def revoke_token(context: Context, who: Admin, token_id: str) -> None:
    """Ends a token at once."""
    context.access.revoke_token(who, token_id)


def _user(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "grants": user.grants,
        "disabled": user.disabled,
        "single_sign_on": bool(user.subject),
        "created": to_iso(user.created_ns),
    }


def _token(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "grants": token.grants,
        "scopes": token.scopes,
        "created_by": token.created_by,
        "created": to_iso(token.created_ns),
        "expires": to_iso(token.expires_ns),
        "revoked": to_iso(token.revoked_ns) if token.revoked_ns else None,
    }
