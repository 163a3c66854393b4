import pytest

from holdfast.drills.faults.prompt_engineering import FAULTS, PITCHES
from tests.drills.effects import means, names_article, refuses, says, traces_of, unsupported_numbers


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_a_prompt_fault_comes_with_a_new_prompt_version(name: str) -> None:
    healthy, struck = traces_of(name)
    assert {t.dimensions["prompt.version"] for t in struck}.isdisjoint({t.dimensions["prompt.version"] for t in healthy})


def test_without_the_grounding_rule_answers_are_made_up() -> None:
    _, struck = traces_of("grounding_rule_dropped")
    assert all("Answer only from" not in t.system_prompt for t in struck)
    assert means("grounding_rule_dropped", unsupported_numbers)[1] > means("grounding_rule_dropped", unsupported_numbers)[0] + 0.3
    assert means("grounding_rule_dropped", names_article)[1] < 0.1


def test_without_the_format_instruction_replies_are_no_objects() -> None:
    before, after = means(
        "format_instruction_lost", lambda t: float(t.model_answer.startswith("{") and "category" in t.model_answer)
    )
    assert before > 0.9
    assert after < 0.4


def test_an_unsubstituted_variable_stands_literally_in_the_prompt() -> None:
    healthy, struck = traces_of("template_variable_unsubstituted")
    assert all("{{ retrieved_context }}" in t.system_prompt for t in struck)
    assert not any("{{" in t.system_prompt for t in healthy)


def test_an_example_is_repeated_to_different_questions() -> None:
    _, struck = traces_of("few_shot_contamination")
    assert len({t.question for t in struck}) > 3 * len({t.model_answer.split(". ")[-1] for t in struck})


def test_over_restrictive_wording_refuses_harmless_questions() -> None:
    assert means("over_restrictive_wording", refuses)[1] > 0.95


def test_a_truncated_context_is_short_although_documents_were_found() -> None:
    before, after = means("context_truncated", lambda t: float(len(t.system_prompt)))
    assert after < before - 200
    assert all(t.documents for t in traces_of("context_truncated")[1])


def test_bled_history_is_longer_and_the_answer_belongs_to_it() -> None:
    before, after = means("history_bleed", lambda t: float(len(t.history)))
    assert after > before + 3


def test_a_missing_locale_answers_one_language_in_english() -> None:
    _, struck = traces_of("locale_prompt_missing")
    languages = {t.dimensions["language"] for t in struck}
    assert len(languages) == 1
    assert ("en",) not in languages
    assert means("locale_prompt_missing", says(" the ", " you ", "You ", " and "))[1] > 0.9


def test_a_leak_recites_the_canary_or_the_instructions() -> None:
    healthy, struck = traces_of("system_prompt_leak")
    assert all("JP-CANARY" in t.model_answer for t in struck)
    assert not any("JP-CANARY" in t.model_answer for t in healthy)


def test_the_wrong_variant_sells() -> None:
    before, after = means("wrong_variant_served", says(*PITCHES))
    assert before == 0
    assert after > 0.95
