from holdfast.ingest.limits import MAX_LIST
from holdfast.ingest.otlp.flattened import at, elements, path_of, unflatten


def test_names_become_a_tree_in_the_order_of_their_numbers() -> None:
    tree = unflatten((path_of(name), name) for name in ("m.10.x", "m.2.x", "m.0.y.z"))
    assert elements(at(tree, "m")) == [{"y": {"z": "m.0.y.z"}}, {"x": "m.2.x"}, {"x": "m.10.x"}]


def test_a_name_that_is_both_leaf_and_branch_stays_what_it_was_first() -> None:
    assert unflatten([(("a",), 1), (("a", "b"), 2)]) == {"a": 1}
    assert unflatten([(("a", "b"), 2), (("a",), 1)]) == {"a": {"b": 2}}


def test_a_name_of_a_thousand_dots_makes_no_deep_tree() -> None:
    assert len(path_of("a." * 1000)) == 17


def test_keys_that_are_no_sane_numbers_are_no_elements() -> None:
    assert elements({"٣": 1, "1" * 50: 2, "-1": 3, "x": 4, "1": 5}) == [5]


def test_what_is_no_list_has_no_elements() -> None:
    assert (elements("abc"), elements(None), elements([1])) == ([], [], [1])


def test_a_list_is_bounded() -> None:
    assert len(elements([0] * (MAX_LIST + 5))) == MAX_LIST


def test_a_path_that_leads_nowhere_gives_nothing() -> None:
    assert at({"a": 1}, "a", "b") is None
