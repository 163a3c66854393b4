"""Messages of all dialects: text is read, and what is no text is named."""

from typing import Any

import pytest

from holdfast.gateway.dialects.content import text_of


@pytest.mark.parametrize(
    ("content", "text", "unseen"),
    [
        ("plain", "plain", []),
        (None, "", []),
        (7, "", []),
        ([{"type": "text", "text": "a"}, "b", 3, None], "a\nb", []),
        ([{"type": "refusal", "refusal": "no"}], "no", []),
        ([{"type": "input_audio", "input_audio": {}}], "", ["input_audio"]),
        ([{"type": "document", "source": {"type": "text", "data": "doc"}}], "doc", []),
        ([{"type": "document", "source": {"type": "base64", "data": "AA=="}}], "", ["document"]),
        ([{"type": "tool_result", "content": [{"type": "text", "text": "42"}, {"type": "image"}]}], "42", ["image"]),
        ([{"type": "thinking", "thinking": "hm"}], "", []),
    ],
    ids=["text", "none", "number", "mixed", "refusal", "audio", "document", "binary-document", "tool-result", "thinking"],
)
def test_text_is_read_and_the_rest_is_named(content: Any, text: str, unseen: list[str]) -> None:
    noted: dict[str, None] = {}
    assert (text_of(content, noted), list(noted)) == (text, unseen)
