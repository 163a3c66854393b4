import orjson

from holdfast.core.call import Call, Kind
from holdfast.drills.encode.openinference import encode
from holdfast.drills.render import Render
from holdfast.drills.script import perform
from tests.drills.turns import a_turn, nothing


def attributes(route: str, kind: Kind) -> dict[str, object]:
    turn = a_turn(route)
    perform(turn, nothing)
    call: Call = next(c for c in Render(turn).calls() if c.kind is kind)
    return dict(encode(call).attributes)


def test_every_span_says_its_kind_user_and_metadata() -> None:
    for kind, name in ((Kind.WORKFLOW, "CHAIN"), (Kind.RETRIEVAL, "RETRIEVER"), (Kind.LLM, "LLM"), (Kind.GUARDRAIL, "GUARDRAIL")):
        found = attributes("/chat", kind)
        assert found["openinference.span.kind"] == name
        assert found["user.id"]
        assert orjson.loads(str(found["metadata"]))["route"] == "/chat"


def test_messages_and_documents_are_flattened() -> None:
    assert attributes("/chat", Kind.LLM)["llm.input_messages.0.message.role"] == "system"
    assert attributes("/chat", Kind.RETRIEVAL)["retrieval.documents.0.document.content"]


def test_the_schema_of_structured_output_stands_in_the_invocation_parameters() -> None:
    parameters = orjson.loads(str(attributes("/tickets", Kind.LLM)["llm.invocation_parameters"]))
    assert parameters["response_format"]["json_schema"]["schema"]["type"] == "object"


def test_the_template_and_its_variables_are_told() -> None:
    found = attributes("/chat", Kind.LLM)
    assert "{context}" in str(found["llm.prompt_template.template"])
    assert "tier" in orjson.loads(str(found["llm.prompt_template.variables"]))
