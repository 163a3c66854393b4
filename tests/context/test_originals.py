from holdfast.context.entities import Entity
from holdfast.context.originals import MAX_VALUE_BYTES, Original, Originals

CODE = "3fa9c1d2" + "0" * 56


def add(originals: Originals, value: str = "joe@example.com", code: str = CODE) -> None:
    originals.add("shop", Entity.EMAIL_ADDRESS, code, value)


def test_a_value_is_told_once_with_the_latest_time() -> None:
    originals = Originals()
    for time_ns in (5, 9, 7):
        originals.begin(time_ns)
        add(originals)
    (found,), left_out = originals.take()
    assert (str(found.pseudonym), found.value, found.time_ns, left_out) == ("EMAIL_ADDRESS:3fa9c1d2", "joe@example.com", 9, 0)
    assert originals.take() == ((), 0)


def test_no_log_or_traceback_holds_the_value() -> None:
    original = Original(application="shop", entity=Entity.EMAIL_ADDRESS, code=CODE, value="joe@example.com", time_ns=1)
    assert "joe" not in f"{original!r} {original} {[original]}"


def test_what_is_too_long_or_too_much_is_left_out_and_counted() -> None:
    originals = Originals(most=2)
    add(originals, "é" * (MAX_VALUE_BYTES // 2) + "x")
    for n in range(4):
        add(originals, code=f"{n}" * 64)
    found, left_out = originals.take()
    assert (len(found), left_out) == (2, 3)


def test_of_an_item_that_is_not_kept_nothing_is_told() -> None:
    originals = Originals()
    originals.begin(1)
    add(originals, code="1" * 64)
    originals.begin(2)
    add(originals, code="1" * 64)
    add(originals, code="2" * 64)
    originals.undo()
    originals.undo()
    assert [o.code for o in originals.take()[0]] == ["1" * 64]
