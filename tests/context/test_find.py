import time
from itertools import pairwise

import pytest

from holdfast.context.entities import Entity, Found
from holdfast.context.find import find, suspect


def test_a_text_without_anything_is_not_suspected() -> None:
    assert suspect("Where is my parcel?") == frozenset()
    assert find("Where is my parcel?") == ()


def test_findings_come_in_order_and_apart() -> None:
    text = "joe@example.com, +1 415 555 2671, 4111111111111111"
    found = find(text)
    assert [one.entity for one in found] == [Entity.EMAIL_ADDRESS, Entity.PHONE_NUMBER, Entity.CREDIT_CARD]
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_of_two_that_overlap_the_longer_one_that_begins_first_stays() -> None:
    text = 'password="joe@example.com"'
    assert find(text) == (Found(10, 25, Entity.PASSWORD),)


def test_offsets_are_characters_whatever_stands_before() -> None:
    text = "Grüße 🎉 日本 joe@example.com"
    (one,) = find(text)
    assert text[one.start : one.end] == "joe@example.com"


def test_placeholders_are_nothing_to_find() -> None:
    assert find('{"password": "<PASSWORD:12345678>", "n": "<PHONE_NUMBER:12345678>"}') == ()


def test_lone_surrogates_are_no_obstacle() -> None:
    assert [one.entity for one in find("\ud800 joe@example.com \udfff")] == [Entity.EMAIL_ADDRESS]


HOSTILE = (
    "@", "a@", "@a.", "a@a.a@", "password=", "token=token=", '"password":"', "-----BEGIN PRIVATE KEY-----", "api_key='", "`",
    "-----END PRIVATE KEY-----", "eyJaaaaaaaaaaa.", "sk-", "GB82", "GB82 ", "://a:", "://a:b@", "\\", "\\n", "\\\\u0040", "AKIA",
    "<EMAIL_ADDRESS", "12345678Z ", "%40", "%2525", "basic ", "bearer aaaaaaaaa ", "(", "((1", "\x00", "é", "x" * 50 + "@",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_is_done_in_linear_time(piece: str) -> None:
    # Quadratic time would be minutes. Processor time, so that a busy machine does not count.
    text = piece * (100_000 // len(piece))
    start = time.thread_time()
    find(text)
    assert time.thread_time() - start < 3
