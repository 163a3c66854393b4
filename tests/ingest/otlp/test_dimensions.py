import json

import pytest

from holdfast.core.call import DIMENSIONS
from holdfast.ingest.limits import MAX_DIMENSION_CHARS, MAX_DIMENSION_VALUES
from tests.ingest.otlp.bodies import mapped


@pytest.mark.parametrize(
    ("attributes", "dimension", "value"),
    [
        ({"http.route": "/chat"}, "route", "/chat"),
        ({"cloud.region": "eu-1"}, "region", "eu-1"),
        ({"gen_ai.request.model": "a"}, "model", "a"),
        ({"gen_ai.request.model": "a", "gen_ai.response.model": "b"}, "model", "b"),
        ({"user.id": "u"}, "user", "u"),
        ({"enduser.id": "u"}, "user", "u"),
        ({"language": "de"}, "language", "de"),
        ({"holdfast.prompt.version": "7"}, "prompt.version", "7"),
        ({"holdfast.index.version": 3}, "index.version", "3"),
        ({"holdfast.tenant.id": "acme"}, "tenant", "acme"),
        ({"llm.prompt_template.version": "v2"}, "prompt.version", "v2"),
        ({"traceloop.prompt.version": 2}, "prompt.version", "2"),
        ({"traceloop.prompt.version_hash": "ab"}, "prompt.version", "ab"),
        ({"gen_ai.tool.name": "refund"}, "tool", "refund"),
        ({"metadata": '{"tenant": "acme"}'}, "tenant", "acme"),
        ({"metadata": '{"index_version": 3}'}, "index.version", "3"),
        ({"metadata": '{"route": "/chat"}'}, "route", "/chat"),
        ({"metadata": '{"user_id": "u"}'}, "user", "u"),
        ({"metadata": '{"language": "de"}'}, "language", "de"),
        ({"metadata": '{"region": "eu-1"}'}, "region", "eu-1"),
        ({"traceloop.association.properties.tenant": "acme"}, "tenant", "acme"),
        ({"traceloop.association.properties.index_version": "3"}, "index.version", "3"),
        ({"traceloop.association.properties.prompt_version": "3"}, "prompt.version", "3"),
        ({"metadata.tenant": "acme"}, "tenant", "acme"),
    ],
)
def test_a_dimension_comes_from_where_the_design_says(attributes: dict[str, object], dimension: str, value: str) -> None:
    found = mapped(attributes).dimensions
    assert found[dimension] == (value,)
    assert set(found) <= set(DIMENSIONS)


def test_our_own_attribute_comes_before_the_conventions_and_the_span_before_the_resource() -> None:
    call = mapped(
        {"holdfast.prompt.version": "own", "llm.prompt_template.version": "theirs", "metadata": '{"tenant": "of the span"}'},
        resource={
            "service.name": "s",
            "holdfast.tenant.id": "of the resource",
            "cloud.region": "eu-1",
            "holdfast.index.version": "9",
        },
    )
    assert call.dimensions == {
        "service.name": ("s",),
        "prompt.version": ("own",),
        "tenant": ("of the span",),
        "region": ("eu-1",),
        "index.version": ("9",),
    }


@pytest.mark.parametrize(
    ("resource", "replica"),
    [
        ({"k8s.pod.name": "chat-1", "service.instance.id": "6f0c", "host.name": "node-a"}, "chat-1"),
        ({"service.instance.id": "6f0c", "host.name": "node-a"}, "6f0c"),
        ({"k8s.pod.name": "", "host.name": "node-a"}, "node-a"),
        ({"k8s.pod.name": None, "host.name": ["a", "b"]}, None),
        ({"cloud.region": "eu-1"}, None),
    ],
    ids=["pod", "instance", "host", "none that is one", "not told"],
)
def test_the_replica_is_the_pod_else_the_instance_else_the_host(resource: dict[str, object], replica: str | None) -> None:
    assert mapped({"http.route": "/chat"}, resource=resource).dimensions.get("replica") == (replica and (replica,))


@pytest.mark.parametrize("name", ["session_id", "conversation_id"])
def test_a_session_among_the_properties_is_the_conversation(name: str) -> None:
    assert mapped({f"traceloop.association.properties.{name}": "s1"}).conversation_id == "s1"


def test_values_are_short_and_few() -> None:
    documents = [{"content": "x", "metadata": {"source": f"s{i}" + "y" * 400}, "score": 1} for i in range(50)]
    call = mapped(
        {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": json.dumps(documents), "user.id": "u" * 1000}
    )
    assert len(call.dimensions["document.source"]) == MAX_DIMENSION_VALUES
    assert all(len(v) <= MAX_DIMENSION_CHARS for values in call.dimensions.values() for v in values)


@pytest.mark.parametrize("value", ["", "  ", None, [], {}])
def test_a_dimension_is_never_empty(value: object) -> None:
    assert mapped({"user.id": value, "metadata": json.dumps({"tenant": value})}).dimensions == {"service.name": ("support",)}


def test_a_resource_without_a_name_is_an_unknown_service() -> None:
    assert mapped({}, resource={}).service == "unknown_service"
