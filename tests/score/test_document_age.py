"""A document's age is read from a time, or from what its metadata says in words for it."""

import pytest

from holdfast.core.call import Document
from holdfast.core.clock import NS_PER_S
from holdfast.score.document_age import age_s

NOW = 1_790_000_000 * NS_PER_S
DAY = 86_400.0


@pytest.mark.parametrize(
    ("metadata", "age"),
    [
        ({"age_days": "380"}, 380 * DAY),
        ({"updated_days_ago": "3.5"}, 3.5 * DAY),
        ({"updated_days": "12"}, 12 * DAY),
        ({"daysSinceUpdated": "2"}, 2 * DAY),
        ({"document-age-hours": "5"}, 5 * 3600.0),
        ({"staleness_s": "90"}, 90.0),
        ({"lang": "en", "age_weeks": "1"}, 7 * DAY),
    ],
    ids=range(7),
)
def test_an_age_in_the_metadata_is_read_in_its_unit(metadata: dict[str, str], age: float) -> None:
    assert age_s(Document("text", metadata=metadata), NOW) == pytest.approx(age)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"age": "12"},
        {"max_age_days": "30"},
        {"customer_age_days": "9000"},
        {"updated_days": "-1"},
        {"updated_days": "nan"},
        {"updated_days": "last week"},
        {"delivery_days": "3"},
        {"page": "3"},
        {"x" * 10_000: "1"},
    ],
    ids=range(10),
)
def test_what_tells_no_age_is_none(metadata: dict[str, str]) -> None:
    assert age_s(Document("text", metadata=metadata), NOW) is None


def test_a_time_goes_before_words_and_lies_never_in_the_future() -> None:
    told = Document("text", updated_ns=NOW - 5 * NS_PER_S, metadata={"age_days": "380"})
    assert age_s(told, NOW) == 5.0
    assert age_s(Document("text", updated_ns=NOW + NS_PER_S), NOW) == 0.0


def test_a_call_without_a_time_says_nothing_of_one() -> None:
    assert age_s(Document("text", updated_ns=NOW), 0) is None
