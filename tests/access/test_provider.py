"""What a provider says of itself is read once an hour, checked, and its failures are remembered for a moment."""

from collections.abc import Iterator
from typing import Any

import pytest
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped] # it has no type hints

from holdfast.access.provider import BASIC, POST, Description, Provider
from holdfast.core.errors import UnavailableError
from holdfast.testing.clock import FakeClock
from holdfast.testing.server import free_ports
from holdfast.testing.sign_on import SignOnProvider, sign_on_provider


@pytest.fixture
def served(clock: FakeClock) -> Iterator[SignOnProvider]:
    with sign_on_provider(clock) as found:
        yield found


def session() -> Any:
    return OAuth2Client(client_id="holdfast", timeout=5.0)


def test_a_description_is_read_once_an_hour(served: SignOnProvider, clock: FakeClock) -> None:
    provider = Provider(served.issuer, session, clock)
    provider.known()
    clock.advance(3600)
    provider.known()
    assert len(served.asked) == 2
    clock.advance(1)
    assert provider.known().description.token_endpoint == f"{served.issuer}/token"
    assert len(served.asked) == 4


def test_it_is_read_anew_when_asked_but_not_twice_in_a_moment(served: SignOnProvider, clock: FakeClock) -> None:
    provider = Provider(served.issuer, session, clock)
    provider.known()
    provider.renewed()
    assert len(served.asked) == 2
    clock.advance(16)
    provider.renewed()
    assert len(served.asked) == 4


def test_one_that_is_away_is_left_alone_for_a_moment_and_found_again(clock: FakeClock) -> None:
    tried = []

    def counted() -> Any:
        tried.append(1)
        return session()

    (port,) = free_ports(1)
    provider = Provider(f"http://127.0.0.1:{port}", counted, clock)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="does not answer"):
            provider.known()
    assert len(tried) == 1
    clock.advance(16)
    with pytest.raises(UnavailableError):
        provider.known()
    assert len(tried) == 2


def test_what_is_known_outlives_a_provider_that_is_away_for_less_than_an_hour(clock: FakeClock) -> None:
    with sign_on_provider(clock) as served:
        provider = Provider(served.issuer, session, clock)
        known = provider.known()
    clock.advance(1800)
    assert provider.known() is known


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"jwks_uri": "no address"},
        {"jwks_uri": "https://[::1"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint_auth_methods_supported": 7},
    ],
    ids=["issuer", "token", "keys", "keys at no URL", "authorization", "methods"],
)
def test_a_description_that_cannot_be_used_is_said_to_be(served: SignOnProvider, clock: FakeClock, said: dict[str, Any]) -> None:
    served.description = said
    with pytest.raises(UnavailableError, match="sign-on provider"):
        Provider(served.issuer, session, clock).known()


@pytest.mark.parametrize(
    ("offered", "sent_by"),
    [((), BASIC), ((BASIC,), BASIC), ((POST,), POST), ((POST, BASIC), BASIC), (("private_key_jwt",), BASIC)],
    ids=str,
)
def test_the_secret_goes_into_the_header_unless_only_the_form_is_taken(offered: tuple[str, ...], sent_by: str) -> None:
    assert Description("i", "a", "t", "k", offered).secret_sent_by == sent_by
