import pytest

from holdfast.context.entities import Entity
from holdfast.context.find import find

# Put together here, so that no scanner of this repository takes them for real ones.
LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6iJ9lM2oP5rS8uV1wX4yZ7bC0eF3h"
TOKENS = {
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "google": "AIza" + LETTERS[:35],
    "google oauth": "ya29." + LETTERS[:40],
    "github": "ghp_" + LETTERS[:36],
    "github fine": "github_pat_" + LETTERS[:60],
    "gitlab": "glpat-" + LETTERS[:20],
    "slack": "xoxb-" + "123456789012-" + LETTERS[:24],
    "slack hook": "hooks.slack.com/services/" + "T00000000/B00000000/" + LETTERS[:24],
    "stripe": "sk_live_" + LETTERS[:24],
    "stripe hook": "whsec_" + LETTERS[:32],
    "openai": "sk-" + LETTERS[:48],
    "openai project": "sk-proj-" + LETTERS[:60],
    "anthropic": "sk-ant-" + "api03-" + LETTERS[:60],
    "hugging face": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "npm": "npm_" + LETTERS[:36],
    "pypi": "pypi-" + "AgEIcHlwaS5vcmc" + LETTERS[:50],
    "sendgrid": "SG." + LETTERS[:22] + "." + LETTERS[:43],
    "twilio": "SK" + "0123456789abcdef" * 2,
    "digitalocean": "dop_v1_" + "0123456789abcdef" * 4,
    "databricks": "dapi" + "0123456789abcdef" * 2,
    "groq": "gsk_" + LETTERS[:50],
    "telegram": "123456789:AA" + LETTERS[:33],
    "vault": "hvs." + LETTERS[:40],
    "entra": "abc" + "8Q~" + LETTERS[:34],
}


def found(text: str) -> list[tuple[Entity, str]]:
    return [(one.entity, text[one.start : one.end]) for one in find(text)]


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("around", ["{}", "use {} now", '{{"value": "{}"}}', "x={}&y=1", "({}),", r'"a\n{}"'])
def test_a_token_is_found_by_the_form_its_issuer_gave_it(kind: str, around: str) -> None:
    (one,) = found(around.format(TOKENS[kind]))
    assert one == (Entity.API_KEY, TOKENS[kind])


@pytest.mark.parametrize(
    "text",
    [
        "AKIA is a prefix",
        "sk-learn-contrib-and-other-packages",
        "ghp_short",
        "hf_token",
        "npm_config_registry",
        "pypi-mirror",
        "SG.a.b",
    ],
)
def test_a_prefix_alone_is_no_token(text: str) -> None:
    assert find(text) == ()


JWT = "eyJhbGciOiJIUzI1NiIs" + ".eyJzdWIiOiIxMjM0NTY3" + ".SflKxwRJSMeKKF2QT4"


@pytest.mark.parametrize("token", [JWT, JWT[: JWT.rindex(".")], JWT.rsplit(".", 1)[0] + ".x1" + ".y2" * 3])
def test_a_web_token_is_found_also_when_it_is_cut_off(token: str) -> None:
    assert found(f"cookie: {token} end")[0][1].startswith("eyJ")
    assert found(token) == [(Entity.JWT, token)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"password": "hunter2"', "hunter2"),
        (r"{\"password\": \"hunter2\"}", "hunter2"),
        ("password=hunter2", "hunter2"),
        ("PASSWORD: Tr0ub4dor&3", "Tr0ub4dor"),
        ("db_password = 'correct-horse'", "correct-horse"),
        ("pwd=abcd1234;", "abcd1234"),
        ("Server=db;Password=p4ss;Timeout=3", "p4ss"),
        ("the password is Xk29fjq!", "Xk29fjq!"),
        (r'"password": "quo\"te1"', r"quo\"te1"),
        ("passphrase: `open-5esame`", "open-5esame"),
    ],
)
def test_a_password_is_found_behind_its_name(text: str, value: str) -> None:
    assert found(text) == [(Entity.PASSWORD, value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("api_key=abcDEF123456", "abcDEF123456"),
        ('"apiKey": "abcDEF123456"', "abcDEF123456"),
        ("X-Api-Key: 9f8e7d6c5b4a39281706f5e4d3c2b1a0", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("client_secret: 'aB3dE6gH9jK2'", "aB3dE6gH9jK2"),
        ("https://x.example/?access_token=aB3dE6gH9jK2mN5pQ8&y=1", "aB3dE6gH9jK2mN5pQ8"),
        ("AccountKey=" + LETTERS + "==;EndpointSuffix=x", LETTERS + "=="),
        ("Authorization: Bearer aB3dE6gH9jK2mN5pQ8sT", "aB3dE6gH9jK2mN5pQ8sT"),
    ],
)
def test_a_key_is_found_behind_its_name(text: str, value: str) -> None:
    assert found(text) == [(Entity.API_KEY, value)]


def test_basic_credentials_are_found_and_basic_words_are_not() -> None:
    assert found("Authorization: Basic dXNlcjpwYXNzd29yZA==") == [(Entity.PASSWORD, "dXNlcjpwYXNzd29yZA==")]
    assert find("basic information and basic understanding") == ()


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 1024",
        '"token": "Hello"',
        '"total_tokens": 123456789012',
        "password: please reset it with the link",
        "forgot your password? click here",
        '"password": "string"',
        '"password": null',
        '"api_key": "${API_KEY}"',
        "api_key=os.environ['OPENAI_API_KEY']",
        "password=********",
        "the secret is out",
        "token is invalid",
        "secret: the recipe",
        '"key": "value"',
        "primary key: user_id",
        "authorization: required",
        "api key: your_api_key_here",
        '"token_type": "bearer"',
        '"password": "must have eight characters"',
        "the password is incorrect",
        "Token usage: 12 in, 14 out",
        "cookie: accepted",
    ],
)
def test_talk_about_secrets_is_no_secret(text: str) -> None:
    assert find(text) == ()


BODY = "\n".join(LETTERS for _ in range(6))
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "key",
    [
        PEM,
        PEM.replace("RSA ", ""),
        PEM.replace("RSA ", "OPENSSH "),
        PEM.replace("\n", "\\n"),
        PEM.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n", 1),
        PEM.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"),
    ],
    ids=["rsa", "pkcs8", "openssh", "in JSON", "with header", "pgp"],
)
def test_a_private_key_is_found_whole(key: str) -> None:
    assert found(f"here: {key} bye") == [(Entity.PRIVATE_KEY, key)]


def test_a_private_key_without_its_end_is_found_to_its_last_line() -> None:
    cut = PEM[: PEM.index("-----END") - 30]
    assert found(f"here: {cut}") == [(Entity.PRIVATE_KEY, cut)]
    text = f'{{"key": "{cut}", "next": "value"}}'
    assert found(text)[0][1].startswith("-----BEGIN")
    assert '"' not in found(text)[0][1]


def test_a_private_key_without_its_beginning_is_found() -> None:
    cut = PEM[60:]
    assert found(cut) == [(Entity.PRIVATE_KEY, cut)]


def test_talk_about_keys_is_kept() -> None:
    text = "A key begins with -----BEGIN PRIVATE KEY----- and you must never share it with anybody."
    assert found(text) == [(Entity.PRIVATE_KEY, "-----BEGIN PRIVATE KEY-----")]
