"""A label is a value: who said what of which call, and when."""

import msgspec
import pytest

from holdfast.core.label import Label

LABEL = Label(trace_id="ab" * 16, span_id="cd" * 8, metric="refusal", failed=True, actor="user:ada", time_ns=5)


def test_a_label_survives_being_written_and_read() -> None:
    assert msgspec.json.decode(msgspec.json.encode(LABEL), type=Label) == LABEL


def test_nobody_changes_what_was_said() -> None:
    with pytest.raises(AttributeError):
        LABEL.failed = False  # type: ignore[misc]
