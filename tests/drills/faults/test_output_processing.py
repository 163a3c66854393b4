import orjson
import pytest

from holdfast.core.call import Kind
from holdfast.drills.phrases import FILTERED
from tests.drills.effects import altered, means, names_article, says, traces_of, unsupported_numbers


@pytest.mark.parametrize(
    "name",
    [
        "json_repair_mangles",
        "toxicity_filter_misset",
        "citation_off_by_one",
        "streaming_truncation",
        "translation_failure",
        "unsafe_rendering",
        "response_cache_key_bug",
    ],
)
def test_the_model_was_right_and_the_user_saw_something_else(name: str) -> None:
    before, after = means(name, altered)
    assert before < 0.15
    assert after > 0.9


def test_mangled_json_keeps_its_schema_and_loses_its_values() -> None:
    for trace in traces_of("json_repair_mangles")[1]:
        wrote, shown = orjson.loads(trace.model_answer), orjson.loads(trace.delivered_answer)
        assert set(shown) >= {"category", "priority", "sentiment", "summary"}
        assert wrote != shown


def test_a_misset_filter_blocks_harmless_answers() -> None:
    assert means("toxicity_filter_misset", says(FILTERED)) == (0.0, 1.0)
    _, struck = traces_of("toxicity_filter_misset")
    assert all(any(g.verdict == "deny" for c in t.calls for g in c.guardrails) for t in struck)


def test_a_broken_redactor_shows_contact_data() -> None:
    assert means("redactor_broken", says("@example.org")) == (0.0, 1.0)


def test_citations_name_a_document_that_was_found_but_not_used() -> None:
    assert means("citation_off_by_one", names_article)[1] > 0.9


def test_a_truncated_stream_shows_less_than_the_model_wrote() -> None:
    before, after = means("streaming_truncation", lambda t: len(t.delivered_answer) / max(len(t.model_answer), 1))
    assert before > 0.95
    assert after < 0.9


def test_a_failed_translation_shows_english_in_one_language() -> None:
    _, struck = traces_of("translation_failure")
    assert len({t.dimensions["language"] for t in struck}) == 1


def test_unsafe_rendering_shows_active_markup() -> None:
    assert means("unsafe_rendering", says("<img", "<script", "](javascript:", "![status]")) == (0.0, 1.0)


def test_a_cache_without_user_gives_the_same_answer_to_many() -> None:
    _, struck = traces_of("response_cache_key_bug")
    assert len({t.delivered_answer for t in struck}) < 0.8 * len(struck)


def test_a_filter_that_is_off_checks_nothing_and_lets_inventions_pass() -> None:
    before, after = means("filter_disabled", lambda t: float(any(c.name == "output_check" for c in t.of_kind(Kind.GUARDRAIL))))
    assert (before, after) == (1.0, 0.0)
    assert means("filter_disabled", unsupported_numbers)[1] > 0.3
