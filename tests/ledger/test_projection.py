import msgspec
import pytest

from holdfast.core.errors import IntegrityError
from holdfast.core.events import fold
from holdfast.core.incident import Incident
from holdfast.ledger.projection import incident_in, incident_of
from tests.ledger.examples import STORY, opened


def incident() -> Incident:
    return fold(r for r in STORY if r.incident_id == "inc_1")


def test_an_incident_comes_back_from_its_row() -> None:
    assert incident_in(incident_of(incident(), 1, 20, 30)) == incident()


def test_a_row_can_be_filtered_and_sorted_without_reading_its_body() -> None:
    row = incident_of(incident(), 1, 20, 30)
    assert (row["state"], row["severity"], row["priority"], row["service"]) == ("resolved", "sev2", "normal", "support")
    assert (row["opened_seq"], row["opened_ns"], row["detected_ns"], row["updated_ns"], row["version"]) == (1, 20, 20, 30, 3)


def test_a_nul_in_a_name_is_shown_as_a_replacement_and_kept_in_the_body() -> None:
    row = incident_of(fold([opened(service="a\0b")]), 1, 20, 20)
    assert row["service"] == "a\N{REPLACEMENT CHARACTER}b"
    assert incident_in(row).service == "a\0b"


def test_the_same_incident_always_makes_the_same_row() -> None:
    again = msgspec.json.decode(msgspec.json.encode(incident()), type=Incident)
    assert incident_of(again, 1, 2, 3) == incident_of(incident(), 1, 2, 3)


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"id":1}', None, b"\xff"])
def test_a_row_that_cannot_be_read_is_an_integrity_error(body: object) -> None:
    with pytest.raises(IntegrityError, match="inc_1 cannot be read"):
        incident_in({"id": "inc_1", "body": body})
