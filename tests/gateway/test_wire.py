"""Heads that are written: one head each, whatever is put into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.gateway.wire import escaped, request_head, response_head


def test_a_head_is_its_lines_and_an_empty_one() -> None:
    head = request_head("POST", "/v1/x?a=1", "host:80", [("accept", "*/*")], 3)
    assert head == b"POST /v1/x?a=1 HTTP/1.1\r\nhost: host:80\r\naccept: */*\r\ncontent-length: 3\r\n\r\n"
    assert b"content-length" not in request_head("GET", "/", "h", [], 0)
    assert b"content-length: 0" in request_head("POST", "/", "h", [], 0)
    assert response_head(404, [("a", "\xe9")]) == b"HTTP/1.1 404 Not Found\r\na: \xe9\r\n\r\n"
    assert response_head(599, []) == b"HTTP/1.1 599 \r\n\r\n"


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "\u20ac"], ids=["crlf", "lf", "cr", "nul", "euro"])
def test_a_value_that_would_end_its_line_is_not_written(value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - several kinds of it
        response_head(200, [("a", value)])
    with pytest.raises(ValueError):  # noqa: PT011 - several kinds of it
        request_head("GET", "/", "h", [(value, "a")], 0)


def test_a_target_with_a_space_in_it_is_not_written() -> None:
    with pytest.raises(ValueError, match="space"):
        request_head("GET", "/a HTTP/1.1", "h", [], 0)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_path_and_query_fit_into_one_request_line(path: str, query: str) -> None:
    target = escaped(path.encode("utf-8", "replace").decode(), query.encode("utf-8", "replace").decode())
    assert request_head("GET", target, "h", [], 0).count(b" ") == 3
    assert request_head("GET", target, "h", [], 0).isascii()


def test_what_a_client_escaped_means_the_same_to_the_target() -> None:
    assert escaped("/v1/a b", "q=%20&r=[1]") == "/v1/a%20b?q=%20&r=[1]"
    assert escaped("/v1/a%2fb", "") == "/v1/a%252fb"
