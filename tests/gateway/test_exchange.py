"""One request on its way."""

import orjson

from holdfast.control.snapshot import Desired, Dialect, Snapshot
from holdfast.gateway.compiled import Compiled
from holdfast.gateway.exchange import Exchange, Request, printable
from holdfast.gateway.refusal import Reason, Refusal

BODY = b'{ "model" : "m",\n "x": 1.50 }'


def exchange() -> Exchange:
    compiled = Compiled(Snapshot(version=9, created_ns=0, desired=Desired()))
    return Exchange(Request(method="POST", path="/v1/x", body=BODY), compiled, Dialect.OPENAI, None, "req_1")


def test_a_body_that_nobody_changed_goes_out_byte_for_byte() -> None:
    one = exchange()
    assert one.outgoing() == BODY
    one.parsed(orjson.loads(BODY))
    assert one.outgoing() == BODY
    one.json = one.json | {"model": "n"}
    assert orjson.loads(one.outgoing()) == {"model": "n", "x": 1.5}


def test_a_refusal_carries_its_hint_and_its_block() -> None:
    one = exchange()
    reply = one.refuse(Refusal(Reason.BLOCKED, "no", 0.2, "blk_1"))
    assert (reply.status, dict(reply.headers)["retry-after"], one.block_id) == (403, "1", "blk_1")


def test_every_answer_tells_about_itself_and_no_value_can_break_a_header() -> None:
    one = exchange()
    one.changed("target:a\r\nset-cookie: x")
    one.changed("target:a\r\nset-cookie: x")
    headers = dict(one.own_headers())
    assert headers["x-holdfast-changed"] == "target:a??set-cookie: x"
    assert headers["x-holdfast-snapshot"] == "9"
    assert printable("ü" * 900) == "?" * 500
