"""OpenAI's embeddings."""

from holdfast.gateway.dialects.openai_embeddings import OpenAIEmbeddings
from holdfast.gateway.dialects.protocol import Asked, OwnAnswer

EMBEDDINGS = OpenAIEmbeddings()


def test_texts_are_read_and_tokens_are_said_to_be_unseen() -> None:
    asked = EMBEDDINGS.asked({"model": "e", "input": ["one", "two"], "user": "u", "dimensions": 3})
    assert ([m.content for m in asked.messages], asked.unseen, asked.user) == (["one", "two"], (), "u")
    assert EMBEDDINGS.asked({"input": "one"}).messages[0].content == "one"
    assert EMBEDDINGS.asked({"input": [[1, 2]]}).unseen == ("tokens",)
    assert EMBEDDINGS.asked({"input": 5}).messages == ()


def test_no_vector_is_ever_made_up() -> None:
    assert EMBEDDINGS.answer(Asked(), OwnAnswer("x"))["data"] == []
    assert list(EMBEDDINGS.answer_stream(Asked(), OwnAnswer("x"))) == []


def test_usage_is_read() -> None:
    assert EMBEDDINGS.said({"usage": {"prompt_tokens": 4}}).usage.input_tokens == 4
