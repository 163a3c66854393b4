"""Which headers pass."""

from holdfast.control.snapshot import Dialect, Snapshot
from holdfast.gateway.compiled import Compiled
from holdfast.gateway.exchange import Exchange, Request
from holdfast.gateway.headers import incoming, outgoing
from holdfast.testing.gateway import simple


def exchange(headers: dict[str, str], keys: bool = True) -> Exchange:
    desired = simple("http://127.0.0.1:1") if keys else simple("http://127.0.0.1:1", keys=())
    compiled = Compiled(Snapshot(version=1, created_ns=0, desired=desired))
    return Exchange(Request(method="POST", path="/", headers=headers), compiled, Dialect.OPENAI, None, "req_1")


def test_a_clients_credentials_pass_only_where_the_gateway_has_no_keys_and_the_target_none_of_its_own() -> None:
    shown = {"authorization": "Bearer mine"}
    assert "Bearer mine" not in str(outgoing(exchange(shown), []))
    assert ("authorization", "Bearer mine") in outgoing(exchange(shown, keys=False), [])
    replaced = outgoing(exchange(shown, keys=False), [("authorization", "Bearer theirs")])
    assert [v for n, v in replaced if n == "authorization"] == ["Bearer theirs"]


def test_a_target_cannot_speak_in_the_gateways_name_or_set_cookies() -> None:
    told = [
        ("x-holdfast-changed", "forged"),
        ("set-cookie", "a"),
        ("transfer-encoding", "chunked"),
        ("x-ratelimit-remaining", "5"),
    ]
    assert incoming(told, changed=False) == (("x-ratelimit-remaining", "5"),)


def test_a_changed_body_loses_what_described_the_old_one() -> None:
    told = [("etag", "1"), ("content-type", "application/json")]
    assert incoming(told, changed=True) == (("content-type", "application/json"),)
    assert incoming(told, changed=False) == tuple(told)
