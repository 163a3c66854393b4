"""List prices of well-known models, for calls whose cost was not reported."""

import re
from functools import lru_cache

from holdfast.core.call import Usage
from holdfast.score.model_names import family_of

AS_OF = "2025-10"
"""Month in which the table was written down. Costs made from it are estimates; report real ones on the span to replace them."""

PRICES: dict[str, tuple[float, float]] = {
    "gpt-5": (1.25, 10.0),
    "gpt-5-mini": (0.25, 2.0),
    "gpt-5-nano": (0.05, 0.40),
    "gpt-4.1": (2.0, 8.0),
    "gpt-4.1-mini": (0.40, 1.60),
    "gpt-4.1-nano": (0.10, 0.40),
    "gpt-4o": (2.50, 10.0),
    "gpt-4o-mini": (0.15, 0.60),
    "gpt-4-turbo": (10.0, 30.0),
    "gpt-3.5-turbo": (0.50, 1.50),
    "o3": (2.0, 8.0),
    "o4-mini": (1.10, 4.40),
    "o3-mini": (1.10, 4.40),
    "claude-opus-4-1": (15.0, 75.0),
    "claude-opus-4": (15.0, 75.0),
    "claude-sonnet-4-5": (3.0, 15.0),
    "claude-sonnet-4": (3.0, 15.0),
    "claude-3-7-sonnet": (3.0, 15.0),
    "claude-3-5-sonnet": (3.0, 15.0),
    "claude-haiku-4-5": (1.0, 5.0),
    "claude-3-5-haiku": (0.80, 4.0),
    "claude-3-haiku": (0.25, 1.25),
    "mistral-large": (2.0, 6.0),
    "mistral-medium": (0.40, 2.0),
    "gemini-2.5-pro": (1.25, 10.0),
    "gemini-2.5-flash": (0.30, 2.50),
    "gemini-2.5-flash-lite": (0.10, 0.40),
    "gemini-2.0-flash": (0.10, 0.40),
}
"""Model family → US dollars per million input and output tokens, without cache discounts."""

_PROVIDER_PATH = re.compile(r"^.*/")


@lru_cache(maxsize=1024)
def _rate(model: str) -> tuple[float, float] | None:
    return PRICES.get(family_of(_PROVIDER_PATH.sub("", model)))


def price_of(model: str, usage: Usage) -> float | None:
    """Estimated cost in US dollars; None when the model or its tokens are unknown."""
    if usage.input_tokens is None or usage.output_tokens is None or not model:
        return None
    rate = _rate(model[:200])
    return None if rate is None else (usage.input_tokens * rate[0] + usage.output_tokens * rate[1]) / 1e6
