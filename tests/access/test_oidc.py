"""Single sign-on against a provider that really signs."""

from collections.abc import Iterator

import httpx
import pytest
from joserfc.jwk import RSAKey

from holdfast.access.oidc import SignOn, SignOnPolicy, Started
from holdfast.access.roles import NotSignedInError, Role
from holdfast.core.errors import UnavailableError
from holdfast.testing.clock import FakeClock
from holdfast.testing.sign_on import SignOnProvider, sign_on_provider

HOUR_S = 3600.0


@pytest.fixture
def provider(clock: FakeClock) -> Iterator[SignOnProvider]:
    with sign_on_provider(clock) as found:
        yield found


@pytest.fixture
def sign_on(provider: SignOnProvider, clock: FakeClock) -> SignOn:
    policy = SignOnPolicy(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        redirect_uri="http://127.0.0.1:1/sign-on/back",
        groups={"oncall": {"shop": Role.RESPONDER}, "leads": {"shop": Role.APPROVER, "*": Role.VIEWER}},
    )
    return SignOn(policy, clock)


def returned(started: Started) -> tuple[str, str]:
    """What the provider sends the browser back with: state and code."""
    answer = httpx.get(started.location, follow_redirects=False)
    place = httpx.URL(answer.headers["location"])
    return place.params["state"], place.params["code"]


def test_whom_the_provider_vouches_for_is_known_by_subject_with_the_roles_of_their_groups(
    sign_on: SignOn, provider: SignOnProvider
) -> None:
    started = sign_on.begin()
    person = sign_on.finish(started.cookie, *returned(started))
    assert (person.subject, person.name, person.grants) == (f"{provider.issuer} 42", "eve", {"shop": Role.RESPONDER})


def test_of_two_groups_the_stronger_role_counts(sign_on: SignOn, provider: SignOnProvider) -> None:
    provider.person["groups"] = ["leads", "oncall", "others"]
    started = sign_on.begin()
    assert sign_on.finish(started.cookie, *returned(started)).grants == {"shop": Role.APPROVER, "*": Role.VIEWER}


@pytest.mark.parametrize("groups", [None, [], "strangers", ["strangers"], {"oncall": 1}], ids=str)
def test_without_a_known_group_there_are_no_roles(sign_on: SignOn, provider: SignOnProvider, groups: object) -> None:
    provider.person["groups"] = groups
    started = sign_on.begin()
    assert sign_on.finish(started.cookie, *returned(started)).grants in ({}, {"shop": Role.RESPONDER})


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://evil.example"}, {"aud": "another client"}, {"exp": 1}, {"nonce": "of another sign-on"}, {"sub": None}],
    ids=["issuer", "audience", "expired", "nonce", "subject"],
)
def test_a_token_that_is_not_for_this_sign_on_is_nobody(
    sign_on: SignOn, provider: SignOnProvider, claims: dict[str, object]
) -> None:
    provider.claims = claims
    started = sign_on.begin()
    with pytest.raises(NotSignedInError):
        sign_on.finish(started.cookie, *returned(started))


def test_a_token_that_another_key_signed_is_nobody(sign_on: SignOn, provider: SignOnProvider) -> None:
    provider.signing = RSAKey.generate_key(2048, {"kid": "one"})
    started = sign_on.begin()
    with pytest.raises(NotSignedInError):
        sign_on.finish(started.cookie, *returned(started))


def test_the_answer_to_another_browsers_sign_on_is_refused(sign_on: SignOn) -> None:
    mine, theirs = sign_on.begin(), sign_on.begin()
    with pytest.raises(NotSignedInError, match="not the answer"):
        sign_on.finish(mine.cookie, *returned(theirs))


def test_a_code_is_good_once_and_only_with_its_verifier(sign_on: SignOn) -> None:
    started = sign_on.begin()
    state, code = returned(started)
    sign_on.finish(started.cookie, state, code)
    with pytest.raises(NotSignedInError, match="refused"):
        sign_on.finish(started.cookie, state, code)


@pytest.mark.parametrize("cookie", ["", "zz", "7b7d", "x" * 5000])
def test_without_a_sign_on_that_was_begun_nobody_comes_in(sign_on: SignOn, cookie: str) -> None:
    with pytest.raises(NotSignedInError, match="begun no sign-on"):
        sign_on.finish(cookie, "state", "code")


def test_a_sign_on_that_took_too_long_is_begun_again(sign_on: SignOn, clock: FakeClock) -> None:
    started = sign_on.begin()
    found = returned(started)
    clock.advance(601)
    with pytest.raises(NotSignedInError, match="ten minutes"):
        sign_on.finish(started.cookie, *found)


def test_a_provider_that_is_away_or_another_one_is_said_to_be(clock: FakeClock, provider: SignOnProvider) -> None:
    policy = SignOnPolicy(issuer="http://127.0.0.1:9", client_id="x", client_secret="x", redirect_uri="http://127.0.0.1/x")
    with pytest.raises(UnavailableError):
        SignOn(policy, clock).begin()
    honest = provider.issuer
    provider.issuer = "https://evil.example"
    with pytest.raises(UnavailableError, match="another issuer"):
        SignOn(SignOnPolicy(issuer=honest, client_id="x", client_secret="x", redirect_uri="x"), clock).begin()


def test_a_provider_that_has_changed_its_key_is_asked_for_the_new_one(
    sign_on: SignOn, provider: SignOnProvider, clock: FakeClock
) -> None:
    started = sign_on.begin()
    provider.change_key()
    clock.advance(60)
    assert sign_on.finish(started.cookie, *returned(started)).name == "eve"


def test_a_key_that_the_provider_does_not_have_is_not_asked_for_over_and_over(sign_on: SignOn, provider: SignOnProvider) -> None:
    provider.signing = RSAKey.generate_key(2048, {"kid": "of nobody"})
    for _ in range(3):
        started = sign_on.begin()
        with pytest.raises(NotSignedInError):
            sign_on.finish(started.cookie, *returned(started))
    assert provider.asked.count("/keys") == 1


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"aud": ["holdfast", "another"], "azp": "holdfast"}, True),
        ({"aud": ["holdfast", "another"], "azp": "another"}, False),
        ({"aud": ["another"]}, False),
        ({"iat": 32_503_680_000}, False),
    ],
    ids=["for us", "for another", "not for us", "from the future"],
)
def test_a_token_for_several_is_taken_when_it_was_made_for_us(
    sign_on: SignOn, provider: SignOnProvider, claims: dict[str, object], good: bool
) -> None:
    provider.claims = claims
    started = sign_on.begin()
    if good:
        assert sign_on.finish(started.cookie, *returned(started)).name == "eve"
    else:
        with pytest.raises(NotSignedInError):
            sign_on.finish(started.cookie, *returned(started))


@pytest.mark.parametrize(
    ("name", "claims", "known"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["oncall"]}}, True),
        ("https://example.com/roles", {"https://example.com/roles": ["oncall"]}, True),
        ("realm_access.roles", {"realm_access": "oncall"}, False),
        ("realm_access.roles", {"realm_access.roles": "oncall"}, True),
        ("realm_access.roles", {}, False),
    ],
    ids=["inside", "an address", "not inside", "with dots", "missing"],
)
def test_groups_may_be_in_a_claim_inside_of_others(
    provider: SignOnProvider, clock: FakeClock, name: str, claims: dict[str, object], known: bool
) -> None:
    policy = SignOnPolicy(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        redirect_uri="http://127.0.0.1:1/back",
        groups_claim=name,
        groups={"oncall": {"shop": Role.RESPONDER}},
    )
    provider.claims = claims
    sign_on = SignOn(policy, clock)
    started = sign_on.begin()
    assert bool(sign_on.finish(started.cookie, *returned(started)).grants) is known


def test_the_page_that_was_wanted_is_known_again_unless_its_address_is_too_long_for_a_cookie(sign_on: SignOn) -> None:
    for wanted, known in (("/incidents?state=open", "/incidents?state=open"), ("/" + 2_000 * "x", "/")):
        started = sign_on.begin(wanted)
        assert len(started.cookie) < 3_500
        assert sign_on.finish(started.cookie, *returned(started)).wanted == known
