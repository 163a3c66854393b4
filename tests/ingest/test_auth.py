import pytest

from holdfast.core.call import Call, Evaluation, EvaluationRecord, MetricPoint
from holdfast.core.change import Change, ChangeKind
from holdfast.core.errors import ConfigurationError
from holdfast.ingest.auth import (
    IngestToken,
    TokenTable,
    UnauthenticatedError,
    is_loopback,
    require_tokens_unless_loopback,
    restrict,
    token_hash,
)
from holdfast.ingest.record import Decoded, Record, Rejected

SUPPORT = IngestToken(application="support", sha256=token_hash("s3cret"))
SHOP = IngestToken(application="shop", sha256=token_hash("other"), services=("cart", "checkout"))
TABLE = TokenTable([SUPPORT, SHOP])


def of_service(service: str) -> Call:
    return Call(trace_id="a" * 32, span_id="b" * 16, dimensions={"service.name": (service,)} if service else {})


def test_without_tokens_everybody_may_send() -> None:
    assert TokenTable().identify({}) is None
    assert not TokenTable().required


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer s3cret"},
        {"authorization": "bearer s3cret"},
        {"x-holdfast-token": "s3cret"},
        {"authorization": "Basic abc", "x-holdfast-token": "s3cret"},
    ],
)
def test_a_token_says_whose_request_it_is(headers: dict[str, str]) -> None:
    assert TABLE.identify(headers) == SUPPORT


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic s3cret"},
        {"authorization": "s3cret"},
        {"authorization": "Bearer s3cre"},
        {"authorization": "Bearer s3cret2"},
        {"authorization": f"Bearer {SUPPORT.sha256}"},
        {"x-holdfast-token": "S3CRET"},
        {"x-holdfast-token": "\udcff"},
        {"authorization": "Bearer wrong", "x-holdfast-token": "s3cret"},
    ],
)
def test_a_missing_or_wrong_token_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(UnauthenticatedError):
        TABLE.identify(headers)


def test_the_refusal_does_not_repeat_what_was_shown() -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        TABLE.identify({"authorization": "Bearer my-real-password"})
    assert "my-real-password" not in str(refused.value)


@pytest.mark.parametrize("sha256", ["", "s3cret", "A" * 64, "g" * 64, "0" * 63])
def test_a_hash_that_is_none_is_named_at_the_start(sha256: str) -> None:
    with pytest.raises(ConfigurationError, match="support: sha256"):
        TokenTable([IngestToken(application="support", sha256=sha256)])


def test_a_token_without_an_application_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="application"):
        TokenTable([IngestToken(application="", sha256=token_hash("x"))])


def test_what_is_of_the_tokens_service_is_kept_as_it_is() -> None:
    decoded = Decoded((of_service("support"),))
    assert restrict(decoded, SUPPORT) == decoded


def test_what_is_of_another_service_is_rejected_and_named() -> None:
    earlier = Rejected("spans[9]", "no id")
    decoded = restrict(Decoded((of_service("support"), of_service("billing")), (earlier,)), SUPPORT)
    assert [r.service for r in decoded.records] == ["support"]
    assert decoded.rejected[0] == earlier
    assert "billing" in decoded.rejected[1].where
    assert decoded.rejected_count == 2


def test_a_token_for_several_services_takes_each_of_them_but_not_its_own_name() -> None:
    decoded = restrict(Decoded((of_service("cart"), of_service("checkout"), of_service("shop"))), SHOP)
    assert [r.service for r in decoded.records] == ["cart", "checkout"]


@pytest.mark.parametrize(
    "record",
    [
        of_service(""),
        of_service("unknown_service"),
        of_service("unknown_service:python"),
        EvaluationRecord(time_ns=1, evaluation=Evaluation("helpful")),
        MetricPoint(time_ns=1, service="unknown_service", name="cpu", value=1.0),
        Change(id="1", time_ns=1, kind=ChangeKind.PROMPT),
    ],
)
def test_what_names_no_service_is_given_to_the_application(record: Record) -> None:
    (kept,) = restrict(Decoded((record,)), SUPPORT).records
    assert kept.service == "support"


def test_a_name_that_only_begins_like_the_unnamed_one_is_a_name() -> None:
    assert restrict(Decoded((of_service("unknown_service_desk"),)), SUPPORT).records == ()


def test_without_a_token_nothing_is_restricted() -> None:
    decoded = Decoded((of_service("anything"),))
    assert restrict(decoded, None) is decoded


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    require_tokens_unless_loopback([host], TokenTable())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "example.org", "", "localhost.example.org"])
def test_any_other_address_needs_one(host: str) -> None:
    with pytest.raises(ConfigurationError, match="token"):
        require_tokens_unless_loopback(["127.0.0.1", host], TokenTable())
    require_tokens_unless_loopback([host], TABLE)
