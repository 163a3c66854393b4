"""The onset is where the calls of the cohort stop looking healthy."""

import numpy as np

from holdfast.diagnose.badness import Watched, watch
from holdfast.diagnose.frame import Frame
from holdfast.diagnose.onset import estimate
from tests.diagnose.incidents import END, HOUR, METRICS, MINUTE, ONSET, Shop


def watched(frame: Frame, name: str = "refusal") -> Watched:
    return watch(frame, frame.columns[name], METRICS[name], is_fall=False)


WITHIN = (ONSET - 6 * HOUR, END)


def test_a_guess_that_is_an_hour_late_is_corrected() -> None:
    frame = Shop().break_(["refusal"], share=0.7).frame(ONSET + HOUR)
    onset = estimate([watched(frame)], np.ones(len(frame), dtype=np.bool_), WITHIN, ONSET + HOUR)
    assert abs(onset.time_ns - ONSET) < 5 * MINUTE
    assert onset.evidence > 10


def test_only_the_cohort_is_looked_at() -> None:
    frame = Shop().break_(["refusal"], lambda d: d["tenant"] == ("cade",), 0.9).frame()
    sick, well = frame.mask(("tenant", "cade")), frame.mask(("tenant", "acme"))
    one = estimate([watched(frame)], sick, WITHIN, ONSET)
    other = estimate([watched(frame)], well, WITHIN, ONSET)
    assert abs(one.time_ns - ONSET) < 15 * MINUTE
    assert one.evidence > 5 * max(other.evidence, 1)


def test_with_nothing_to_see_the_guess_stays_and_the_error_is_wide() -> None:
    frame = Shop().frame()
    nobody = estimate([watched(frame)], np.zeros(len(frame), dtype=np.bool_), WITHIN, ONSET)
    assert nobody.time_ns == ONSET
    assert nobody.error_ns >= 10 * MINUTE


def test_a_moment_when_something_began_is_preferred_to_one_that_fits_hardly_better() -> None:
    frame = Shop().break_(["refusal"], share=0.6).frame()
    everybody = np.ones(len(frame), dtype=np.bool_)
    free = estimate([watched(frame)], everybody, WITHIN, ONSET)
    near = estimate([watched(frame)], everybody, WITHIN, ONSET, [free.time_ns - MINUTE // 2])
    far = estimate([watched(frame)], everybody, WITHIN, ONSET, [ONSET - 4 * HOUR])
    assert abs(near.time_ns - free.time_ns) <= 2 * MINUTE
    assert far.time_ns == free.time_ns


def test_of_two_moments_the_one_with_more_evidence_is_taken_whichever_comes_first() -> None:
    frame = Shop().break_(["refusal"], share=0.3).frame()
    everybody = np.ones(len(frame), dtype=np.bool_)
    early, late = ONSET - 15 * MINUTE, ONSET
    for natural in ([early, late], [late, early]):
        assert abs(estimate([watched(frame)], everybody, WITHIN, ONSET, natural).time_ns - ONSET) <= 2 * MINUTE


def test_moments_that_cannot_be_told_apart_widen_the_error_until_it_spans_them() -> None:
    frame = Shop().break_(["refusal"], share=0.2).frame()
    everybody = np.ones(len(frame), dtype=np.bool_)
    one = estimate([watched(frame)], everybody, WITHIN, ONSET, [ONSET])
    two = estimate([watched(frame)], everybody, WITHIN, ONSET, [ONSET - 8 * MINUTE, ONSET])
    assert one.error_ns < 4 * MINUTE
    assert 4 * MINUTE - MINUTE <= two.error_ns <= 5 * MINUTE


def test_a_failure_began_before_it_was_seen_however_much_worse_it_became_later() -> None:
    frame = Shop().break_(["refusal"]).frame()
    seen_ns = ONSET - 20 * MINUTE
    onset = estimate([watched(frame)], np.ones(len(frame), dtype=np.bool_), (ONSET - 6 * HOUR, seen_ns), ONSET)
    assert onset.time_ns <= seen_ns


def test_where_no_call_of_the_cohort_came_before_it_was_seen_the_guess_stands_but_not_after_that() -> None:
    frame = Shop().break_(["refusal"]).frame()
    late = frame.time_ns > ONSET
    onset = estimate([watched(frame)], late, (ONSET - 6 * HOUR, ONSET - MINUTE), ONSET)
    assert (onset.time_ns, onset.evidence) == (ONSET - MINUTE, 0.0)
