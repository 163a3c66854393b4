import pytest

from holdfast.core.call import Document
from holdfast.score.tenancy import Tenancy
from tests.score.build import llm, retrieval, scores, trace


def found(own: str, *owners: dict[str, str]) -> list[float]:
    dimensions = {"service.name": ("s",), "tenant": (own,)} if own else {"service.name": ("s",)}
    documents = tuple(Document(content="x", metadata=m) for m in owners)
    subject = trace(retrieval(span=1, documents=documents, dimensions=dimensions))
    return [s.value for s in Tenancy().score(subject)]


@pytest.mark.parametrize("key", ["tenant", "tenant_id", "tenant.id"])
def test_a_document_of_another_tenant_is_seen(key: str) -> None:
    assert found("acme", {key: "acme"}, {key: "globex"}) == [1.0]


def test_documents_of_the_tenant_itself_are_fine() -> None:
    assert found("acme", {"tenant": "ACME"}, {"tenant": " acme "}) == [0.0]


@pytest.mark.parametrize("owner", ["", "public", "shared", "*"])
def test_documents_of_everybody_are_fine_so_that_there_is_a_healthy_rate(owner: str) -> None:
    assert found("acme", {"tenant": owner}) == [0.0]


def test_without_a_tenant_it_does_not_apply() -> None:
    assert found("", {"tenant": "globex"}) == []
    assert not scores(Tenancy(), trace(llm()))
