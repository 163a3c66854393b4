"""Sensitive values in requests and answers."""

import pytest

from holdfast.core.call import Message
from holdfast.gateway.dialects.protocol import Asked, Said
from holdfast.gateway.guards.protocol import Seen
from holdfast.gateway.guards.sensitive import SensitiveJudge, secrets_in_prompt, sensitive_output

IBAN = "DE89370400440532013000"


def judge(answer: str, question: str = "Where is it?", **parameters: object) -> float:
    found = sensitive_output(parameters).judge(Seen(Asked(messages=(Message("user", question),)), Said(text=answer)))
    return -1.0 if found is None else found.score


def test_a_value_that_the_reader_gave_is_no_leak() -> None:
    assert judge(f"Your account is {IBAN}.") > 0.5
    assert judge(f"Your account is {IBAN}.", f"Is {IBAN} mine?") < 0.5


def test_what_the_application_may_show_is_not_objected_to() -> None:
    assert judge(f"Pay to {IBAN}.", keep=["IBAN_CODE"]) == 0.0
    with pytest.raises(ValueError, match="SHOE_SIZE"):
        sensitive_output({"keep": ["SHOE_SIZE"]})


def test_redaction_leaves_the_words_around_and_the_name_of_the_kind() -> None:
    made = sensitive_output({})
    assert isinstance(made, SensitiveJudge)
    text = f"Pay to {IBAN} or call +49 30 901820, ask jane.doe@gmail.com."
    redacted = made.redact(text)
    assert IBAN not in redacted
    assert redacted.startswith("Pay to <IBAN_CODE> or call ")
    assert made.redact(redacted) == redacted


def test_a_secret_on_its_way_to_a_model_is_seen() -> None:
    seen = Seen(Asked(messages=(Message("user", "use password=hunter2hunter2 and key sk-proj-abcdefghijklmnopqrstuvwx1234"),)))
    found = secrets_in_prompt({}).judge(seen)
    assert found is not None
    assert found.score > 0.5
