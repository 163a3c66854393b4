import pytest

from holdfast.context.email_addresses import find_at_signs
from holdfast.context.entities import Entity


def found(text: str) -> list[tuple[str, str]]:
    return [(one.entity.value, text[one.start : one.end]) for one in find_at_signs(text)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("write to joe.smith+shop@mail.example.co.uk.", "joe.smith+shop@mail.example.co.uk"),
        ("<joe@example.com>", "joe@example.com"),
        ("mailto:joe@example.com?subject=x", "joe@example.com"),
        ("(JOE@EXAMPLE.COM)", "JOE@EXAMPLE.COM"),
        ("müller@bücher.example", "müller@bücher.example"),
        ("иван@пример.рф", "иван@пример.рф"),
        ("q=joe%40example.com&x=1", "joe%40example.com"),
        ("joe%2540example.com", "joe%2540example.com"),
        ("o'hara: hara@example.org", "hara@example.org"),
        ("x@xn--bcher-kva.xn--p1ai", "x@xn--bcher-kva.xn--p1ai"),
    ],
)
def test_an_address_is_found_whole(text: str, address: str) -> None:
    assert found(text) == [(Entity.EMAIL_ADDRESS, address)]


@pytest.mark.parametrize(
    "text",
    [
        "@",
        "@@@@",
        "see @joe",
        "a@b",
        "logo@2x.png",
        "pkg@1.2.3",
        "@app.get",
        "5 @ 3.50",
        "user@",
        "npm i @scope/name.js",
        "a@.com",
        "@x.com",
    ],
)
def test_an_at_sign_alone_is_no_address(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("postgres://app:s3cr3t@db.example.com:5432/x", "s3cr3t"),
        ("https://u:p@host", "p"),
        ("redis://:onlypass@cache:6379", "onlypass"),
        ("amqp://guest:a:b@mq.example.com", "a:b"),
    ],
)
def test_the_password_of_a_url_is_found_and_its_host_is_not_taken_for_an_address(text: str, password: str) -> None:
    assert found(text) == [(Entity.PASSWORD, password)]


def test_a_link_that_merely_mentions_an_address_has_no_password() -> None:
    text = "https://example.com:8080/u/joe@example.com"
    assert found(text) == [(Entity.EMAIL_ADDRESS, "joe@example.com")]
