from math import sqrt

import msgspec
import numpy as np
import pytest

from holdfast.models.linear import Head
from holdfast.models.ngrams import BUCKETS, ngrams

BAD = ngrams("poison")


def head(window: int = 0, **changes: object) -> Head:
    weights = np.zeros(BUCKETS, np.int16)
    weights[BAD.buckets] = 100
    found = Head("test", weights, 0.01, (2.0, -1.0), -1.0, 1.0, 0.0, window)
    return msgspec.structs.replace(found, **changes)


def test_what_was_learned_as_bad_raises_the_log_odds() -> None:
    assert head().log_odds(ngrams("this is poison"), (0, 0)) > head().log_odds(ngrams("this is butter"), (0, 0))


def test_the_sum_is_scaled_by_the_root_of_the_number_of_ngrams() -> None:
    assert head().log_odds(BAD, (0, 0)) == pytest.approx(-1.0 + sqrt(BAD.buckets.size))


def test_structure_counts_with_its_weights() -> None:
    empty = ngrams("")
    assert head().log_odds(empty, (1, 0)) == pytest.approx(1.0)
    assert head().log_odds(empty, (0, 1)) == pytest.approx(-2.0)


def test_slope_and_threshold_put_the_operating_point_at_zero() -> None:
    assert head(slope=3.0, threshold=-1.0).log_odds(ngrams(""), (0, 0)) == pytest.approx(0.0)


def test_another_number_of_features_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        head().log_odds(BAD, (1.0,))


def test_a_window_finds_one_bad_sentence_in_a_long_document() -> None:
    document = "all is well here and nothing is wrong. " * 40
    poisoned = ngrams(document + "poison poison poison " + document)
    whole, windowed = head(0), head(120)
    gain = windowed.log_odds(poisoned, (0, 0)) - windowed.log_odds(ngrams(document * 2), (0, 0))
    assert gain > 5 * (whole.log_odds(poisoned, (0, 0)) - whole.log_odds(ngrams(document * 2), (0, 0)))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_it_does_not_matter_where_in_the_document_it_stands(place: int) -> None:
    parts = ["all is well here and nothing is wrong. " * 10] * 2
    parts.insert(place, "poison poison poison poison. ")
    assert head(60).log_odds(ngrams(" ".join(parts)), (0, 0)) > 0.5


@pytest.mark.parametrize("place", [0, 1, 2])
def test_it_says_where_the_worst_stretch_begins(place: int) -> None:
    parts = ["all is well here and nothing is wrong. " * 10] * 2
    parts.insert(place, "poison poison poison poison. ")
    text = " ".join(parts)
    begin = head(60).place(ngrams(text))
    assert begin - 30 <= text.index("poison") <= begin + 60


def test_the_worst_stretch_of_a_short_text_is_all_of_it() -> None:
    assert head(400).place(BAD) == head(0).place(ngrams("poison " * 500)) == 0


def test_a_text_shorter_than_the_window_is_judged_whole() -> None:
    assert head(400).log_odds(BAD, (0, 0)) == head(0).log_odds(BAD, (0, 0))
