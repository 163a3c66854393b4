from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.effects import UseTemplate
from holdfast.control.snapshot import Desired, Prompt, PromptVersion, Route, Snapshot, Template
from holdfast.control.validate import MAX_SNAPSHOT_BYTES, MAX_TOLD, must_be_sound, problems, read_desired
from holdfast.core.errors import InputError, TooLargeError
from holdfast.testing.control import example_desired
from tests.control.examples import lease, snapshot

EMPTY = Snapshot(version=0, created_ns=0, desired=Desired())


def test_a_sound_snapshot_passes() -> None:
    assert problems(snapshot(lease())) == []
    must_be_sound(snapshot(lease()))
    must_be_sound(EMPTY)


def test_leases_are_judged_against_the_desired_state_below_them() -> None:
    without_template = msgspec.structs.replace(example_desired(), templates=(), routes=example_desired().routes[1:])
    with pytest.raises(InputError, match=r"leases\[lse_1\].effect.template: there is no template 'sorry'"):
        must_be_sound(snapshot(lease(UseTemplate(template="sorry")), desired=without_template))


def test_an_error_names_the_first_problems_and_how_many_more_there_are() -> None:
    routes = tuple(Route(name=f"r{n}", targets=()) for n in range(MAX_TOLD + 5))
    with pytest.raises(InputError, match="and 5 more") as caught:
        must_be_sound(snapshot(desired=Desired(routes=routes)))
    assert "routes[r0].targets: is empty" in str(caught.value)


def test_a_snapshot_that_gateways_would_refuse_for_its_size_is_never_made() -> None:
    text = "x" * 250_000
    prompts = tuple(
        Prompt(name=f"p{n}", current="v1", versions=(PromptVersion(version="v1", text=text, created_ns=1),)) for n in range(20)
    )
    with pytest.raises(TooLargeError, match="at most"):
        must_be_sound(snapshot(desired=Desired(prompts=prompts)))


def test_a_desired_state_is_read_from_its_json() -> None:
    assert read_desired(msgspec.json.encode(example_desired())) == example_desired()
    assert read_desired("{}") == Desired()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"routes":[{"name":"a","targets":[{"target":1}]}]}', "desired.routes[0].targets[0].target"),
        ('{"routes":[{"targets":[]}]}', "desired.routes[0]"),
        ('{"rutes":[]}', "desired"),
        ('{"guards":[{"name":"g","kind":"k","place":"middle"}]}', "desired.guards[0].place"),
        ("[]", "desired"),
        ("null", "desired"),
        ("{", "desired"),
        ("", "desired"),
        (b"\xff", "desired"),
        (b'{"targets":[{"name":"\xff","base_url":""}]}', "desired"),
        ("[" * 100_000, "desired"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_desired_state_is_refused_with_its_place(text: str | bytes, place: str) -> None:
    with pytest.raises(InputError) as caught:
        read_desired(text)
    assert caught.value.where == place


def test_an_oversized_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLargeError):
        read_desired(b" " * (MAX_SNAPSHOT_BYTES + 1))


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_a_desired_state_or_an_error_of_ours(data: bytes | str) -> None:
    with suppress(InputError):
        read_desired(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
desired_like = st.fixed_dictionaries(
    {}, optional={name: json_values | st.lists(json_values, max_size=2) for name in Desired.__struct_fields__}
)


@given(desired_like)
def test_any_json_is_judged_without_an_error_of_another_kind(value: object) -> None:
    with suppress(InputError):
        must_be_sound(snapshot(desired=read_desired(msgspec.json.encode(value))))


def test_a_template_is_data_and_not_code() -> None:
    template = Template(name="t", texts={"": "{user.__class__} {0}"})
    must_be_sound(snapshot(desired=Desired(templates=(template,))))
