"""`Endpoint`: a service of the user's that scores texts over HTTP.

Request: ``{"metric": "…", "inputs": [{"question": "…", "answer": "…"}, …]}``. Answer, in the same order and number:
``{"scores": [{"value": 0.12, "why": "…", "spans": [[start, end, "label"], …]} | {"error": "…"}, …]}``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from holdfast.core.errors import UnavailableError
from holdfast.score.external.post import Post
from holdfast.score.external.scorer import Answer
from holdfast.score.external.selection import Texts
from holdfast.score.text import shortened, valid


class _Told(msgspec.Struct):
    value: float | None = None
    why: str = ""
    spans: list[tuple[int, int, str]] = []
    error: str = ""


class _Scores(msgspec.Struct):
    scores: list[_Told]


_decode = msgspec.json.Decoder(_Scores).decode


@dataclass(frozen=True)
class Endpoint:
    """Sends all texts of a batch in one request."""

    metric: str
    post: Post = field(repr=False)

    def close(self) -> None:
        """Lets go of the connections."""
        self.post.close()

    def ask(self, texts: Sequence[Texts]) -> list[Answer | Exception]:
        """One answer each.

        Raises:
            UnavailableError: the service did not answer, or not with one score for each text.
        """
        inputs = [{name: valid(text) for name, text in shown.items()} for shown in texts]
        body = self.post.send(msgspec.json.encode({"metric": self.metric, "inputs": inputs}))
        try:
            told = _decode(body).scores
        except msgspec.DecodeError as error:
            raise UnavailableError(f"the endpoint's answer has no scores: {error}") from None
        if len(told) != len(texts):
            raise UnavailableError(f"the endpoint gave {len(told)} scores for {len(texts)} texts")
        return [_answer(one) for one in told]


def _answer(told: _Told) -> Answer | Exception:
    if told.error or told.value is None:
        return UnavailableError(f"the endpoint could not score: {shortened(told.error, 200) or 'no value'}")
    try:
        return Answer(value=told.value, why=told.why, spans=tuple(told.spans))
    except UnavailableError as error:
        return error
