import json
import threading
from typing import Any

import pytest

from holdfast.context.entities import Entity, RedactionPolicy, Treatment
from holdfast.context.originals import Originals
from holdfast.context.redact import MAX_DEPTH, TOO_DEEP, Redactor

KEY = b"a key of the tests, 32 bytes ...."
EMAIL, PHONE, CARD = "joe@example.com", "+1 415 555 2671", "4111111111111111"


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(RedactionPolicy(), KEY)


def placeholder(text: str, entity: Entity) -> str:
    return f"<{entity}:{text.split(f'<{entity}:')[1][:8]}>"


def test_a_value_becomes_a_typed_placeholder_and_the_rest_stays(redactor: Redactor) -> None:
    redacted = redactor.text(f"Write to {EMAIL}, please.")
    assert redacted == f"Write to {placeholder(redacted, Entity.EMAIL_ADDRESS)}, please."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("joe@example.com", "JOE@Example.COM"),
        ("joe@example.com", "q=joe%40example.com"),
        ("4111111111111111", "4111 1111 1111 1111"),
        ("GB82WEST12345698765432", "gb82 west 1234 5698 7654 32"),
        ("+1 415 555 2671", "+1-415-555-2671"),
        ("joe@example.com", r'{"a": "joe\u0040example.com"}'),
    ],
)
def test_the_same_value_has_the_same_pseudonym_however_it_is_written(redactor: Redactor, one: str, other: str) -> None:
    entity = Entity(redactor.text(one)[1:].split(":")[0])
    assert placeholder(redactor.text(one), entity) == placeholder(redactor.text(other), entity)


def test_another_value_another_entity_and_another_key_have_another_pseudonym(redactor: Redactor) -> None:
    stranger = Redactor(RedactionPolicy(), b"another key of 32 bytes ........")
    assert redactor.text(EMAIL) != redactor.text("jane@example.com")
    assert redactor.text(EMAIL) != stranger.text(EMAIL)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Redactor(RedactionPolicy(), b"short")


def test_kept_values_stay_and_dropped_ones_have_no_pseudonym() -> None:
    policy = RedactionPolicy(entities={Entity.EMAIL_ADDRESS: Treatment.KEEP, Entity.CREDIT_CARD: Treatment.DROP})
    assert Redactor(policy, KEY).text(f"{EMAIL} {CARD}") == f"{EMAIL} <CREDIT_CARD>"


def test_an_application_has_its_own_treatment() -> None:
    policy = RedactionPolicy(services={"crm": {Entity.EMAIL_ADDRESS: Treatment.DROP}})
    redactor = Redactor(policy, KEY)
    crm = redactor.for_service("crm")
    assert crm.text(EMAIL) == "<EMAIL_ADDRESS>"
    assert crm is redactor.for_service("crm")
    assert redactor.for_service("shop") is redactor
    assert redactor.text(EMAIL).startswith("<EMAIL_ADDRESS:")
    assert redactor.counts() == {Entity.EMAIL_ADDRESS: 2}


def test_it_counts_what_it_replaces_by_entity_also_when_it_remembers(redactor: Redactor) -> None:
    for _ in range(3):
        redactor.text(f"{EMAIL} and {CARD}")
    redactor.value({"password": "hunter2"})
    assert redactor.counts() == {Entity.EMAIL_ADDRESS: 3, Entity.CREDIT_CARD: 3, Entity.PASSWORD: 1}


def test_every_part_of_a_value_is_redacted(redactor: Redactor) -> None:
    value = {
        EMAIL: [PHONE, (CARD,), {"deep": {"er": EMAIL}}],
        "bytes": EMAIL.encode(),
        "n": int(CARD),
        "f": float(4111111111111111),
    }
    redacted = redactor.value(value)
    text = repr(redacted)
    assert EMAIL not in text
    assert "4155552671" not in text
    assert "4111" not in text
    assert isinstance(redacted[redactor.text(EMAIL)][1], tuple)
    assert isinstance(redacted["bytes"], bytes)


@pytest.mark.parametrize(
    "value", [None, True, False, 0, 1.5, 12345, -1, 10**30, float("nan"), float("inf"), 1732338600123456789, "", b"\xff"]
)
def test_what_is_not_sensitive_keeps_its_type_and_value(redactor: Redactor, value: Any) -> None:
    redacted = redactor.value(value)
    assert type(redacted) is type(value)
    assert repr(redacted) == repr(value)


def test_the_name_of_a_member_tells_what_its_value_is(redactor: Redactor) -> None:
    redacted = redactor.value({"db.password": "hunter2", "phone_number": 4155552671, "order": 4155552671, "ssn": "536904399"})
    assert redacted["db.password"].startswith("<PASSWORD:")
    assert redacted["phone_number"].startswith("<PHONE_NUMBER:")
    assert redacted["ssn"].startswith("<US_SSN:")
    assert redacted["order"] == 4155552671


def test_members_whose_names_become_the_same_are_both_kept(redactor: Redactor) -> None:
    assert sorted(redactor.value({"joe@example.com": 1, "JOE@example.com": 2}).values()) == [1, 2]


def test_a_value_that_is_too_deep_is_cut_off_and_says_so(redactor: Redactor) -> None:
    value: Any = EMAIL
    for _ in range(5000):
        value = [value]
    redacted = redactor.value(value)
    for _ in range(MAX_DEPTH):
        redacted = redacted[0]
    assert redacted == TOO_DEEP


@pytest.mark.parametrize(
    "text",
    [
        f'{{"card": {CARD}, "cards": [{CARD}, 1], "s": "{EMAIL}"}}',
        f"[{CARD}]",
        json.dumps({"inner": json.dumps({"card": int(CARD), "list": [int(CARD), 5]})}),
        '{"password": 12345678, "api_key": -1.5e+308}',
        '{"mail": "joe\\u0040example.com", "url": "https:\\/\\/u:pw1@host"}',
        '{"a": "line\\njoe@example.com\\n+14155552671"}',
        '{"a": "\\u000ajoe@example.com"}',
        '{"a": "x\\\\", "card": 4111111111111111}',
    ],
)
def test_json_stays_json_of_the_same_shape(redactor: Redactor, text: str) -> None:
    redacted = redactor.text(text)
    assert json.loads(redacted).__class__ is json.loads(text).__class__
    assert "<" in redacted
    assert CARD not in redacted
    assert "example.com" not in redacted


def test_an_escape_hides_nothing_and_texts_without_a_hit_are_kept_to_the_byte(redactor: Redactor) -> None:
    assert redactor.text('{"a": "joe\\u0040example.com"}').startswith('{"a": "<EMAIL_ADDRESS:')
    untouched = '{"a":  "caf\\u00e9 \\/ 1.50"}'
    assert redactor.text(untouched) == untouched


def test_what_a_neighbour_hid_is_found_in_the_next_round(redactor: Redactor) -> None:
    text = redactor.text("order@example.com 415-555-2671")
    assert "415" not in text


def test_nothing_sensitive_stays_in_memory() -> None:
    redactor = Redactor(RedactionPolicy(), KEY)
    redactor.text(f"remember {EMAIL}")
    memories = (redactor._unchanged, redactor._changed)
    assert all(EMAIL not in repr(memory._young) + repr(memory._old) for memory in memories)


def test_many_threads_get_the_same_answer(redactor: Redactor) -> None:
    texts = [f"{i} {EMAIL} {PHONE} {CARD}" for i in range(50)]
    expected = [Redactor(RedactionPolicy(), KEY).text(t) for t in texts]
    answers: list[list[str]] = []
    threads = [threading.Thread(target=lambda: answers.append([redactor.text(t) for t in texts])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [expected] * 8
    assert redactor.counts()[Entity.EMAIL_ADDRESS] == 8 * 50


SEALING = RedactionPolicy(services={"shop": {Entity.EMAIL_ADDRESS: Treatment.SEAL}, "crm": {Entity.PHONE_NUMBER: Treatment.DROP}})


def told(text: str, service: str = "shop", policy: RedactionPolicy = SEALING) -> tuple[str, list[tuple[str, str, str]]]:
    """The redacted text, and the originals that were told: application, pseudonym, value."""
    originals = Originals()
    redacted = Redactor(policy, KEY).telling(originals).for_service(service).value({"a": [text, text]})["a"][0]
    found, _ = originals.take()
    return redacted, [(o.application, str(o.pseudonym), o.value) for o in found]


def test_of_what_is_sealed_the_original_is_told_with_the_pseudonym_in_the_text() -> None:
    redacted, found = told(f"{EMAIL}, {PHONE} and {CARD}")
    assert found == [("shop", f"EMAIL_ADDRESS:{redacted[15:23]}", EMAIL)]


def test_sealing_changes_nothing_in_the_text(redactor: Redactor) -> None:
    text = f'{{"mail": "{EMAIL}", "n": [{CARD}], "u": "joe\\u0040example.com"}}'
    assert told(text)[0] == redactor.text(text)


@pytest.mark.parametrize("service", ["crm", "bank", ""])
def test_of_other_applications_nothing_is_told(service: str) -> None:
    assert told(EMAIL, service)[1] == []


def test_a_redactor_that_tells_nobody_remembers_and_tells_nothing(redactor: Redactor) -> None:
    assert redactor.telling(Originals()) is redactor
    assert Redactor(SEALING, KEY).for_service("shop").text(EMAIL).startswith("<EMAIL_ADDRESS:")


def test_every_reader_is_told_also_of_a_text_that_was_read_before() -> None:
    shared, found = Redactor(SEALING, KEY), []
    for _ in range(3):
        originals = Originals()
        shared.telling(originals).for_service("shop").text(f"write to {EMAIL}")
        found.append(len(originals.take()[0]))
    assert found == [1, 1, 1]


def test_a_value_whose_name_tells_what_it_is_is_told_too() -> None:
    policy = RedactionPolicy(services={"shop": {Entity.PHONE_NUMBER: Treatment.SEAL}})
    originals = Originals()
    redacted = Redactor(policy, KEY).telling(originals).for_service("shop").value({"phone": 4155550123})
    assert redacted["phone"].startswith("<PHONE_NUMBER:")
    assert [o.value for o in originals.take()[0]] == ["4155550123"]


def test_originals_of_readers_at_the_same_time_do_not_mix() -> None:
    shared = Redactor(SEALING, KEY)
    found: dict[int, list[str]] = {}

    def read(number: int) -> None:
        originals = Originals()
        mine = shared.telling(originals).for_service("shop")
        for n in range(50):
            mine.text(f"mail reader{number}.{n}@example.com")
        found[number] = [o.value for o in originals.take()[0]]

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == {n: [f"reader{n}.{m}@example.com" for m in range(50)] for n in range(4)}
