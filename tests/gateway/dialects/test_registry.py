"""Which calls are understood."""

from holdfast.control.snapshot import Dialect
from holdfast.gateway.dialects.registry import ENDPOINTS, dialect_of


def test_every_call_is_understood_under_one_path_and_knows_its_dialect() -> None:
    assert set(ENDPOINTS) == {"/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/messages"}
    for path, endpoint in ENDPOINTS.items():
        assert endpoint.dialect is dialect_of(path, frozenset())
        assert endpoint.name in ("chat", "embeddings")
        assert endpoint.asked({}).model == ""


def test_an_unknown_path_speaks_openai_unless_the_client_says_otherwise() -> None:
    assert dialect_of("/v1/files", frozenset()) is Dialect.OPENAI
    assert dialect_of("/v1/files", frozenset({"anthropic-version"})) is Dialect.ANTHROPIC
