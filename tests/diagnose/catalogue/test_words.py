"""Names of changes hint at faults that exist."""

import re

from holdfast.diagnose.catalogue.registry import BY_NAME
from holdfast.diagnose.catalogue.words import WORDS


def test_every_pattern_belongs_to_a_fault_and_compiles() -> None:
    assert set(WORDS) <= set(BY_NAME)
    for pattern in WORDS.values():
        assert re.compile(pattern).search("") is None


def test_a_parameter_is_recognised_by_its_name() -> None:
    assert re.search(WORDS["max_tokens_too_low"], "max_output_tokens: 400 -> 24")
    assert re.search(WORDS["temperature_too_high"], "top_p")
    assert not re.search(WORDS["temperature_too_high"], "dark-mode")
