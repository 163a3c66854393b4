"""The gateway as a process for tests: the snapshots that it makes are sound."""

import pytest

from holdfast.control.effects import Refuse
from holdfast.control.snapshot import Snapshot
from holdfast.control.validate import must_be_sound
from holdfast.core.errors import InputError
from holdfast.testing.gateway import KEY, hashed, lease, simple


def test_a_simple_desired_state_is_sound_and_holds_no_key() -> None:
    snapshot = Snapshot(version=1, created_ns=0, desired=simple("http://127.0.0.1:1", "http://127.0.0.1:2"))
    must_be_sound(snapshot)
    assert KEY not in str(snapshot)
    assert snapshot.desired.keys[0].sha256 == hashed(KEY)


def test_a_lease_is_live_and_needs_a_scope() -> None:
    one = lease(1, Refuse(), {"route": "chat"})
    snapshot = Snapshot(version=1, created_ns=0, desired=simple("http://127.0.0.1:1"), leases=(one,))
    assert snapshot.live(one.granted_ns) == (one,)
    with pytest.raises(InputError):
        must_be_sound(Snapshot(version=1, created_ns=0, desired=simple("http://x"), leases=(lease(1, Refuse(), {}),)))
