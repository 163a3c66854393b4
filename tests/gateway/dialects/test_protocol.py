"""Reading members of JSON whose types nobody has checked."""

from holdfast.gateway.dialects.protocol import amount_in, members, part_of, scalars, text_in


def test_only_what_is_of_the_right_type_is_taken() -> None:
    assert (text_in("a"), text_in(5), text_in(None)) == ("a", "", "")
    assert [amount_in(v) for v in (3, -1, True, 2.5, "3", None)] == [3, None, None, None, None, None]
    assert (members([{"a": 1}, 2, None]), members({"a": 1}), members(None)) == ([{"a": 1}], [], [])
    assert (part_of({"a": {"b": 1}}, "a"), part_of({"a": 3}, "a"), part_of({}, "a")) == ({"b": 1}, {}, {})


def test_parameters_have_opentelemetrys_names() -> None:
    body = {"max_output_tokens": 5, "n": 2, "temperature": 0.1, "stop": ["x"], "top_p": None}
    assert scalars(body, body) == {"max_tokens": 5, "choice.count": 2, "temperature": 0.1}
