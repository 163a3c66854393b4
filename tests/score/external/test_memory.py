"""The same texts are answered once."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.score.external.memory import Memory, content_key
from holdfast.score.external.scorer import Answer


def key(number: int) -> bytes:
    return content_key({"answer": str(number)})


def test_what_is_known_costs_nothing_any_more() -> None:
    memory = Memory(4)
    memory.put(key(1), Answer(value=0.4, why="so", cost_usd=0.01))
    assert memory.get(key(1)) == Answer(value=0.4, why="so", cost_usd=0.0)
    assert memory.get(key(2)) is None


def test_an_answer_without_a_price_has_none() -> None:
    memory = Memory(4)
    memory.put(key(1), Answer(value=0.4))
    assert memory.get(key(1)) == Answer(value=0.4)


def test_it_never_grows_over_its_size_and_forgets_what_is_not_used() -> None:
    memory = Memory(3)
    for number in range(3):
        memory.put(key(number), Answer(value=0.1))
    memory.get(key(0))
    for number in range(3, 5):
        memory.put(key(number), Answer(value=0.1))
    assert len(memory) == 3
    assert [memory.get(key(n)) is not None for n in range(5)] == [True, False, False, True, True]


def test_a_memory_of_size_zero_remembers_nothing() -> None:
    memory = Memory(0)
    memory.put(key(1), Answer(value=0.1))
    assert memory.get(key(1)) is None


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=8)), st.dictionaries(st.text(max_size=3), st.text(max_size=8)))
def test_two_contents_have_one_key_only_when_they_are_the_same(one: dict[str, str], other: dict[str, str]) -> None:
    assert (content_key(one) == content_key(other)) == (list(one.items()) == list(other.items()))


def test_text_that_is_no_unicode_has_a_key() -> None:
    assert content_key({"answer": "\ud800"}) != content_key({"answer": "?"})
