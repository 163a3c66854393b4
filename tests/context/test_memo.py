from hypothesis import given
from hypothesis import strategies as st

from holdfast.context.memo import Memo


def test_an_answer_is_remembered() -> None:
    memo: Memo[str] = Memo()
    memo.put("question", "answer", 1)
    assert memo.get("question") == "answer"
    assert memo.get("other") is None


def test_what_was_not_asked_lately_is_forgotten() -> None:
    memo: Memo[int] = Memo(max_entries=2)
    for i in range(1, 7):
        memo.put(i, i, 1)
    assert memo.get(1) is None
    assert memo.get(6) == 6


def test_what_is_asked_again_and_again_stays() -> None:
    memo: Memo[int] = Memo(max_entries=3)
    memo.put("often", 1, 1)
    for i in range(50):
        memo.put(i, i, 1)
        assert memo.get("often") == 1


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 50)), max_size=200))
def test_it_never_grows_beyond_two_generations(puts: list[tuple[int, int]]) -> None:
    memo: Memo[int] = Memo(max_entries=5, max_weight=60)
    for question, weight in puts:
        memo.put(question, 1, weight)
        assert len(memo) <= 10
        assert memo.get(question) == 1
