import pytest

from holdfast.core.call import Usage
from holdfast.score.prices import PRICES, price_of


def test_a_price_is_per_million_tokens_of_either_kind() -> None:
    assert price_of("gpt-4o-2024-08-06", Usage(1_000_000, 100_000)) == pytest.approx(3.5)


@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "gpt-4o-mini", "azure/gpt-4o-mini-2024-07-18"])
def test_resellers_and_dates_do_not_matter(model: str) -> None:
    assert price_of(model, Usage(1_000_000, 0)) == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("model", "usage"), [("", Usage(1, 1)), ("my-llama", Usage(1, 1)), ("gpt-4o", Usage(None, 1)), ("gpt-4o", Usage(1, None))]
)
def test_what_is_not_known_has_no_price(model: str, usage: Usage) -> None:
    assert price_of(model, usage) is None


def test_output_never_costs_less_than_input() -> None:
    assert all(0 < given <= written for given, written in PRICES.values())
