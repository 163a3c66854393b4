"""Acts go into the chain and come back."""

import msgspec
import pytest

from holdfast.access.audit import Act, Audited, audited_in
from holdfast.core.stream import StreamEvent


def test_an_act_comes_back_as_it_was_told() -> None:
    act = Audited(type=Act.INCIDENT_EXPORTED, address="127.0.0.1", target="a/b", application="shop", reason="customer asked")
    event = act.event(7, "user:ada")
    assert (event.time_ns, event.actor, event.type) == (7, "user:ada", "IncidentExported")
    assert audited_in(event) == act


@pytest.mark.parametrize("body", ["{}", "[]", '{"type":"Unknown","address":"","target":""}', "nonsense"])
def test_what_is_no_act_is_said_to_be_none(body: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        audited_in(StreamEvent(time_ns=1, actor="x", type="x", body=body))
