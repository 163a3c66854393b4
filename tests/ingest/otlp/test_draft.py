from holdfast.ingest.otlp.conventions import plan_for
from holdfast.ingest.otlp.draft import Draft, read
from tests.ingest.otlp.bodies import raw_span


def draft_of(attributes: dict[str, object]) -> Draft:
    return read(raw_span(attributes), plan_for(tuple(attributes), ""))


def test_a_source_that_yields_nothing_gives_way_to_the_next() -> None:
    assert draft_of({"gen_ai.provider.name": "", "gen_ai.system": "openai"}).found["provider"] == "openai"


def test_request_parameters_keep_their_own_names() -> None:
    draft = draft_of({"gen_ai.request.brand_new": 1, "llm.top_k": 5, "gen_ai.request.model": "m"})
    assert draft.parameters == {"brand_new": 1, "top_k": 5}
    assert draft.found["request_model"] == "m"


def test_lists_give_way_to_attributes_that_hold_the_whole() -> None:
    draft = draft_of({"gen_ai.prompt.0.content": "spread", "gen_ai.input.messages": '[{"role":"user","content":"whole"}]'})
    assert [m.content for m in draft.found["input_messages"]] == ["whole"]


def test_attributes_that_no_table_knows_touch_nothing() -> None:
    draft = draft_of({"custom.one": 1, "llm": 2, "gen_ai": 3})
    assert (draft.found, draft.usage, draft.dimensions, draft.parameters) == ({}, {}, {}, {})
