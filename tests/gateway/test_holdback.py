"""The hold-back window: nothing is out that has not been judged, and nothing is lost or changed."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.gateway.dialects.protocol import Event, Heard
from holdfast.gateway.holdback import MAX_HELD_BYTES, HoldBack


def run(pieces: list[str], window: int, bad: str = "\0") -> tuple[str, HoldBack]:
    told: list[str] = []
    hold = HoldBack(window, lambda final: bad in "".join(told))
    out: list[bytes] = []
    for piece in pieces:
        told.append(piece)
        raw = piece.encode()
        out += hold.feed(Event("", raw, raw), Heard(piece))
        if hold.cut:
            break
    out += hold.end()
    return b"".join(out).decode(), hold


@given(st.lists(st.text(alphabet="abc ", min_size=1, max_size=12), max_size=120), st.integers(0, 200))
def test_an_answer_without_objection_goes_out_whole_and_in_order(pieces: list[str], window: int) -> None:
    assert run(pieces, window)[0] == "".join(pieces)


@given(
    st.lists(st.text(alphabet="abc ", min_size=1, max_size=9), max_size=100),
    st.lists(st.text(alphabet="abc ", min_size=1, max_size=9), max_size=100),
    st.integers(8, 200),
)
def test_of_a_violation_no_longer_than_the_window_not_a_letter_goes_out(
    before: list[str], behind: list[str], window: int
) -> None:
    secret = "XYZXYZXY"[: min(8, window)]
    out, hold = run([*before, *secret, *behind], window, secret)
    assert hold.cut
    assert not set("XYZ") & set(out)
    assert "".join(before).startswith(out)


def test_text_flows_while_it_is_judged_and_does_not_wait_for_the_end() -> None:
    hold = HoldBack(40, lambda final: False)
    released = 0
    for n in range(100):
        raw = b"0123456789"
        released += sum(len(r) for r in hold.feed(Event("", raw, raw), Heard(raw.decode())))
        assert released >= (n + 1) * 10 - 40 - 40
    assert hold.released_text == released


def test_a_guard_that_needs_the_whole_answer_holds_all_of_it() -> None:
    hold = HoldBack(0, lambda final: False)
    assert not list(hold.feed(Event("", b"a" * 5000, b"a" * 5000), Heard("a" * 5000)))
    assert b"".join(hold.end()) == b"a" * 5000


def test_a_tool_call_is_judged_before_its_name_is_out() -> None:
    hold = HoldBack(100, lambda final: True)
    assert not list(hold.feed(Event("", b"call", b"call"), Heard(tool="delete_all")))
    assert hold.cut


def test_what_must_be_held_back_is_bounded() -> None:
    hold = HoldBack(0, lambda final: False)
    raw = b"x" * (1024 * 1024)
    for _ in range(MAX_HELD_BYTES // len(raw) + 1):
        hold.feed(Event("", raw, raw), Heard("x"))
    assert hold.cut
