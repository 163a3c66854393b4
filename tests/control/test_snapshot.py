import msgspec
import pytest

from holdfast.control.snapshot import Snapshot
from tests.control.examples import LATER, NOW, lease, snapshot


def test_a_snapshot_comes_back_from_its_json() -> None:
    whole = snapshot(lease(), lease(number=2, automatic=True, users=3, traffic=0.25))
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Snapshot) == whole


def test_a_snapshot_with_a_field_that_this_gateway_does_not_know_is_refused() -> None:
    newer = msgspec.json.encode(snapshot(lease())).replace(b'"share"', b'"portion"')
    with pytest.raises(msgspec.ValidationError, match="portion"):
        msgspec.json.decode(newer, type=Snapshot)


def test_live_leases_are_those_whose_time_is_not_over_in_order_of_grant() -> None:
    whole = snapshot(lease(), lease(number=2, expires_ns=NOW + 1), lease(number=3))
    assert [one.id for one in whole.live(NOW)] == ["lse_1", "lse_2", "lse_3"]
    assert [one.id for one in whole.live(NOW + 1)] == ["lse_1", "lse_3"]
    assert whole.live(LATER) == ()
