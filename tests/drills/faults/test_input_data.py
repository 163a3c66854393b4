from statistics import mean

from holdfast.drills.faults.input_data import POISON_URL
from holdfast.drills.phrases import OUT_OF_SCOPE
from tests.drills.effects import documents, means, refuses, says, traces_of, unsupported_numbers


def test_a_stale_index_is_old_and_its_answers_are_faithful_to_it() -> None:
    before, after = means(
        "stale_index", documents(lambda t: mean((t.start_ns - (d.updated_ns or 0)) / 8.64e13 for d in t.documents))
    )
    assert after > before + 100
    numbers = means("stale_index", unsupported_numbers)
    assert numbers[1] < numbers[0] + 0.05


def test_the_wrong_embedder_finds_unrelated_articles_with_low_scores() -> None:
    before, after = means("wrong_embedder", documents(lambda t: max(d.score or 0 for d in t.documents)))
    assert before > 0.75
    assert after < 0.5


def test_a_missing_shard_brings_less_and_more_answers_are_dont_knows() -> None:
    before, after = means("partial_index", lambda t: float(len(t.documents)))
    assert after < before
    assert means("partial_index", refuses)[1] > 0.4


def test_a_corrupted_source_contradicts_the_answers() -> None:
    sources = {d.source for trace in traces_of("corrupted_document")[1] for d in trace.documents}
    assert sources
    before, after = means("corrupted_document", unsupported_numbers)
    assert after > before + 0.2


def test_a_poisoned_document_gives_orders_and_some_are_followed() -> None:
    before, after = means("poisoned_document", documents(lambda t: float(any(POISON_URL in d.content for d in t.documents))))
    assert (before, after) == (0.0, 1.0)
    assert means("poisoned_document", says(POISON_URL))[1] > 0.4


def test_small_chunks_shorten_the_context_and_loosen_the_answers() -> None:
    before, after = means("chunking_change", documents(lambda t: mean(len(d.content) for d in t.documents)))
    assert after < before / 2
    assert means("chunking_change", unsupported_numbers)[1] > 0.2


def test_a_flood_of_copies_leaves_one_text_in_all_documents() -> None:
    before, after = means("duplicate_flood", documents(lambda t: len({d.content for d in t.documents}) / len(t.documents)))
    assert before > 0.99
    assert after < 0.5


def test_documents_of_another_tenant_are_found_and_quoted() -> None:
    healthy, struck = traces_of("wrong_tenant_documents")
    owners = [{d.metadata.get("tenant") for d in t.documents} - {"shared", t.dimensions["tenant"][0]} for t in struck]
    assert all(owners)
    assert all({d.metadata.get("tenant") for d in t.documents} <= {"shared"} for t in healthy)
    assert means("wrong_tenant_documents", says("Contract of"))[1] > 0.25


def test_a_wrong_encoding_is_seen_in_documents_and_answers() -> None:
    signs = ("\ufffd", "Ã", "â€", "Â")
    before, after = means("encoding_garbage", documents(lambda t: float(any(s in d.content for s in signs for d in t.documents))))
    assert before == 0
    assert after > 0.9


def test_an_attack_comes_from_a_few_users_and_works_now_and_then() -> None:
    _, struck = traces_of("attack_campaign")
    assert len({t.dimensions["user"] for t in struck}) <= 5
    assert 0.05 < 1 - means("attack_campaign", refuses)[1] < 0.5


def test_out_of_scope_questions_find_nothing_good() -> None:
    _, struck = traces_of("out_of_scope_demand")
    assert all(t.question in OUT_OF_SCOPE for t in struck)
    assert means("out_of_scope_demand", documents(lambda t: max(d.score or 0 for d in t.documents)))[1] < 0.5


def test_amounts_in_cents_are_a_hundred_times_too_high_and_slots_are_null() -> None:
    _, struck = traces_of("upstream_field_change")
    assert all("tier: null" in t.system_prompt for t in struck)
    assert means("upstream_field_change", unsupported_numbers)[1] < 0.05
