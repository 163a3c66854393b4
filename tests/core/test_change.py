import msgspec
import pytest

from holdfast.core.change import Change, ChangeKind


def test_a_change_needs_an_id_a_time_and_a_kind() -> None:
    with pytest.raises(TypeError):
        Change(id="c1", time_ns=1)  # type: ignore[call-arg]


def test_a_change_without_scope_is_about_everything_of_its_service() -> None:
    change = Change(id="c1", time_ns=1, kind=ChangeKind.PROMPT, service="support")
    assert change.scope == {}


@pytest.mark.parametrize("kind", ["prompt", "model", "config", "index", "tool", "guardrail", "code", "data", "flag"])
def test_every_kind_that_the_documents_name_can_be_read(kind: str) -> None:
    change = msgspec.json.decode(msgspec.json.encode({"id": "c", "time_ns": 1, "kind": kind}), type=Change)
    assert change.kind == kind


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="kind"):
        msgspec.json.decode(b'{"id":"c","time_ns":1,"kind":"weather"}', type=Change)
