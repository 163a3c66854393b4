"""`Judge`: a language model that is asked by a rubric, through an OpenAI-compatible chat endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from holdfast.core.errors import HoldfastError, UnavailableError
from holdfast.score.external.allowance import Allowance
from holdfast.score.external.memory import Memory, content_key
from holdfast.score.external.post import Post
from holdfast.score.external.rubric import ANSWER_SCHEMA, messages, verdict
from holdfast.score.external.scorer import Answer
from holdfast.score.external.selection import Texts

CHARACTERS_PER_TOKEN = 2.0
"""A cautious guess before the endpoint has counted: more tokens than most texts have, so that a budget holds."""


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Completion).decode


@dataclass(frozen=True)
class Prices:
    """US dollars for a million tokens."""

    input_usd: float = 0.0
    output_usd: float = 0.0

    def of(self, input_tokens: float, output_tokens: float) -> float:
        """US dollars of a request."""
        return (input_tokens * self.input_usd + output_tokens * self.output_usd) / 1e6


@dataclass(frozen=True)
class Judge:
    """Asks for one verdict a request. What it said of the same texts before is remembered.

    Args:
        form: `json_schema`, `json_object` or `text`: what the endpoint can promise about its answer.
        extra: further fields of the request. omit: fields that are left out.
    """

    model: str
    rubric: str
    post: Post = field(repr=False)
    allowance: Allowance = field(repr=False)
    memory: Memory = field(repr=False)
    prices: Prices = Prices()
    form: str = "json_schema"
    max_tokens: int = 400
    extra: dict[str, Any] = field(default_factory=dict)
    omit: tuple[str, ...] = ()

    def close(self) -> None:
        """Lets go of the connections."""
        self.post.close()

    def ask(self, texts: Sequence[Texts]) -> list[Answer | Exception]:
        """One verdict each; `UnavailableError` or `BackpressureError` where there is none."""
        found: list[Answer | Exception] = []
        for shown in texts:
            try:
                found.append(self._one(shown))
            except HoldfastError as error:
                found.append(error)
        return found

    def _one(self, texts: Texts) -> Answer:
        key = content_key(texts)
        known = self.memory.get(key)
        if known is not None:
            return known
        request = self._request(texts)
        body = msgspec.json.encode(request)
        most = self.prices.of(len(body) / CHARACTERS_PER_TOKEN, self.max_tokens)
        completion = _completion(self.post.send(body, lambda: self.allowance.take(most)))
        usage = completion.usage or _Usage(int(len(body) / CHARACTERS_PER_TOKEN), self.max_tokens)
        cost = self.prices.of(usage.prompt_tokens, usage.completion_tokens)
        self.allowance.correct(cost - most)
        told = verdict(_content(completion))
        answer = Answer(value=told.probability, why=told.reason, cost_usd=cost)
        self.memory.put(key, answer)
        return answer

    def _request(self, texts: Texts) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self.model,
            "messages": messages(self.rubric, texts),
            "temperature": 0,
            "max_tokens": self.max_tokens,
        }
        if self.form == "json_schema":
            schema = {"name": "verdict", "strict": True, "schema": ANSWER_SCHEMA}
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.form == "json_object":
            request["response_format"] = {"type": "json_object"}
        return {key: value for key, value in (request | self.extra).items() if key not in self.omit}


def _completion(body: bytes) -> _Completion:
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        raise UnavailableError(f"the endpoint's answer is no chat completion: {error}") from None


def _content(completion: _Completion) -> str:
    if not completion.choices:
        raise UnavailableError("the judge gave no answer")
    choice = completion.choices[0]
    if choice.message.refusal:
        raise UnavailableError("the judge refused to judge")
    if choice.finish_reason not in (None, "stop"):
        raise UnavailableError(f"the judge stopped early: {choice.finish_reason[:40]}")
    return choice.message.content or ""
