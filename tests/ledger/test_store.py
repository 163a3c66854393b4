import itertools
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from holdfast.core.errors import ConflictError, InputError, IntegrityError, NotFoundError, StoreError, TransitionError
from holdfast.core.events import (
    IncidentClosed,
    IncidentMerged,
    IncidentMitigated,
    IncidentResolved,
    Recorded,
    SignalJoined,
    TimestampCorrected,
    fold,
)
from holdfast.core.incident import ACTIVE, State
from holdfast.core.signal import Segment, Signal
from holdfast.ledger.store import Ledger
from tests.ledger.examples import STORY, comment, intruder, opened, then


def test_an_incident_is_what_its_events_fold_to(ledger: Ledger) -> None:
    ledger.append(STORY)
    assert ledger.incident("inc_1") == fold(r for r in STORY if r.incident_id == "inc_1")


def test_events_come_back_as_they_were_written_with_their_hashes(ledger: Ledger) -> None:
    written = ledger.append(STORY)
    assert [e.recorded for e in written] == list(STORY)
    assert [e.seq for e in written] == [1, 2, 3, 4, 5, 6]
    assert ledger.events("inc_2") == [written[1], written[3], written[5]]
    assert all(later.prev_hash == earlier.hash for earlier, later in itertools.pairwise(written))


def test_versions_count_within_an_incident(ledger: Ledger) -> None:
    ledger.append(STORY)
    assert [e.version for e in ledger.events("inc_2")] == [1, 2, 3]


def test_what_was_written_is_there_after_opening_again(ledger: Ledger, ledger_url: str) -> None:
    ledger.append(STORY)
    ledger.close()
    with Ledger(ledger_url) as again:
        assert again.incident("inc_1").state is State.RESOLVED
        assert again.append([comment(incident_id="inc_2")])[0].seq == 7


def test_nothing_to_write_is_nothing_written(ledger: Ledger) -> None:
    assert ledger.append([]) == []
    assert ledger.anchor().seq == 0


def test_events_may_come_from_a_generator(ledger: Ledger) -> None:
    assert len(ledger.append((r for r in STORY), expected_version=None)) == len(STORY)


def test_the_anchor_names_the_last_event(ledger: Ledger) -> None:
    assert (ledger.anchor().seq, ledger.anchor().hash) == (0, "0" * 64)
    last = ledger.append(STORY)[-1]
    assert (ledger.anchor().seq, ledger.anchor().hash) == (last.seq, last.hash)


# Idempotence


def test_an_event_with_a_known_key_is_left_out(ledger: Ledger) -> None:
    ledger.append([opened(key="a")])
    assert ledger.append([opened(key="a"), comment(key="b"), comment("again", key="b")])[0].recorded.key == "b"
    assert len(ledger.events("inc_1")) == 2


def test_a_replayed_batch_writes_only_what_is_new(ledger: Ledger) -> None:
    batch = [opened(key="a"), comment(key="b")]
    ledger.append(batch)
    assert [e.recorded.key for e in ledger.append([*batch, comment(key="c")])] == ["c"]
    assert ledger.append(batch) == []


def test_a_known_key_is_left_out_before_the_state_is_asked(ledger: Ledger) -> None:
    ledger.append([opened(key="a"), then(IncidentResolved(reason="r"), key="b"), then(IncidentClosed(reason="r"))])
    assert ledger.append([then(IncidentResolved(reason="r"), key="b")], expected_version=1) == []


def test_events_without_a_key_are_never_taken_for_each_other(ledger: Ledger) -> None:
    ledger.append([opened(), comment(), comment()])
    assert len(ledger.events("inc_1")) == 3


def test_hundreds_of_keys_are_recognised(ledger: Ledger) -> None:
    batch = [opened(key="k"), *(comment(key=f"k{i}") for i in range(1_200))]
    assert len(ledger.append(batch)) == 1_201
    assert ledger.append(batch) == []


# Refusals: nothing of a refused batch is written


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        (then(IncidentClosed(reason="r")), TransitionError, "cannot become closed"),
        (opened(), TransitionError, "open already"),
        (comment(incident_id="inc_9"), TransitionError, "before IncidentOpened"),
        (then(TimestampCorrected(field="resolved", ns=1, reason="r")), TransitionError, "no timestamp"),
        (then(IncidentMerged(into="inc_9")), NotFoundError, "no incident 'inc_9' to merge"),
        (comment("\ud800"), InputError, "CommentAdded"),
        (Recorded(incident_id="inc_1", time_ns=-1, actor="a", event=comment().event), InputError, "time_ns"),
        (Recorded(incident_id="inc_1", time_ns=2**63, actor="a", event=comment().event), InputError, "time_ns"),
        (Recorded(incident_id="inc_1", time_ns=1, actor="a\0", event=comment().event), InputError, "actor"),
        (Recorded(incident_id="inc_1", time_ns=1, actor="\udfff", event=comment().event), InputError, "actor"),
        (Recorded(incident_id="inc_1", time_ns=1, actor="a", event=comment().event, key="\0"), InputError, "key"),
    ],
)
def test_a_batch_with_one_bad_event_is_not_written_at_all(
    ledger: Ledger, event: Recorded, error: type[Exception], message: str
) -> None:
    ledger.append([opened()])
    with pytest.raises(error, match=message):
        ledger.append([comment("fine"), event])
    assert len(ledger.events("inc_1")) == 1
    assert ledger.verify().ok


def test_a_number_that_json_cannot_hold_is_refused_before_it_is_lost(ledger: Ledger) -> None:
    signal = Signal(
        id="s",
        detector="d",
        metric="m",
        segment=Segment("support"),
        onset_ns=1,
        detected_ns=2,
        baseline=0.1,
        observed=0.2,
        log_evidence=math.inf,
        threshold=1.0,
        calls=1,
        bad=1.0,
        budget=1.0,
    )
    ledger.append([opened()])
    with pytest.raises(InputError, match="SignalJoined"):
        ledger.append([then(SignalJoined(signal=signal))])


@pytest.mark.parametrize("version", [0, 1, 3])
def test_who_decided_on_another_version_is_told_so(ledger: Ledger, version: int) -> None:
    ledger.append([opened(), comment()])
    with pytest.raises(ConflictError, match=f"at version 2, not {version}"):
        ledger.append([comment()], expected_version=version)
    assert ledger.incident("inc_1").version == 2


def test_who_decided_on_this_version_goes_on(ledger: Ledger) -> None:
    ledger.append([opened()], expected_version=0)
    assert ledger.append([comment(), comment()], expected_version=1)[-1].version == 3


def test_an_expected_version_speaks_of_one_incident(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="one incident"):
        ledger.append([opened("inc_1"), opened("inc_2")], expected_version=0)


@pytest.mark.parametrize("statement", ["UPDATE ledger_events SET actor = 'eve'", "DELETE FROM ledger_events"])
def test_the_database_itself_refuses_to_change_events(ledger: Ledger, ledger_url: str, statement: str) -> None:
    ledger.append(STORY)
    engine = sa.create_engine(ledger_url)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        connection.execute(sa.text(statement))
    engine.dispose()


# Many writers


def test_threads_take_turns(ledger: Ledger) -> None:
    ledger.append([opened()])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: ledger.append([comment(f"{i}")]), range(40)))
    assert ledger.incident("inc_1").version == 41
    assert ledger.verify().ok


_WRITER = """
import sys
from holdfast.ledger.store import Ledger
from tests.ledger.examples import comment
with Ledger(sys.argv[1]) as ledger:
    for i in range(15):
        ledger.append([comment(f"{sys.argv[2]} {i}"), comment(key=f"same {i}")])
"""


def test_processes_take_turns(ledger: Ledger, ledger_url: str) -> None:
    ledger.append([opened()])
    writers = [subprocess.Popen([sys.executable, "-W", "error", "-c", _WRITER, ledger_url, str(n)]) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert ledger.incident("inc_1").version == 1 + 3 * 15 + 15
    assert ledger.verify().ok


# Look-ups


def test_an_incident_is_found_by_the_beginning_of_its_id(ledger: Ledger) -> None:
    ledger.append([opened("inc_abc1"), opened("inc_abd2")])
    assert ledger.incident("inc_abd").id == ledger.incident("abd").id == "inc_abd2"


def test_a_whole_id_is_not_ambiguous_when_another_begins_with_it(ledger: Ledger) -> None:
    ledger.append([opened("inc_1"), opened("inc_12")])
    assert ledger.incident("inc_1").id == "inc_1"


@pytest.mark.parametrize("unknown", ["inc_9", "", "%", "_", "inc_%", "' OR 1=1 --", "INC_1", "\0", "\ud800"])
def test_an_unknown_incident_is_not_found(ledger: Ledger, unknown: str) -> None:
    ledger.append([opened()])
    with pytest.raises(NotFoundError, match="no incident"):
        ledger.incident(unknown)


def test_an_ambiguous_beginning_names_the_candidates(ledger: Ledger) -> None:
    ledger.append([opened("inc_a1"), opened("inc_a2")])
    with pytest.raises(NotFoundError, match="inc_a1, inc_a2"):
        ledger.incident("a")


@pytest.mark.parametrize("unknown", ["inc_9", "", "\0"])
def test_events_of_an_unknown_incident_are_not_an_empty_list(ledger: Ledger, unknown: str) -> None:
    with pytest.raises(NotFoundError):
        ledger.events(unknown)


def test_lists_begin_with_the_last_opened(ledger: Ledger) -> None:
    ledger.append([opened("inc_b"), opened("inc_a"), comment(incident_id="inc_b")])
    assert [i.id for i in ledger.incidents()] == ["inc_a", "inc_b"]


def test_pages_follow_each_other_without_gap_or_repetition(ledger: Ledger) -> None:
    ledger.append([opened(f"inc_{i}") for i in range(7)])
    seen, before = list[str](), ""
    while page := ledger.incidents(limit=3, before=before):
        seen += [i.id for i in page]
        before = seen[-1]
    assert seen == [f"inc_{i}" for i in reversed(range(7))]


def test_lists_are_filtered_by_state_and_application(ledger: Ledger) -> None:
    ledger.append(STORY)
    ledger.append([opened("inc_3"), then(IncidentMitigated(reason="r"), "inc_3")])
    assert [i.id for i in ledger.incidents(states=ACTIVE)] == ["inc_3", "inc_2"]
    assert [i.id for i in ledger.incidents(states=[State.RESOLVED])] == ["inc_1"]
    assert [i.id for i in ledger.incidents(states=ACTIVE, service="search")] == ["inc_2"]
    assert ledger.incidents(service="nobody") == []


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_a_page_has_a_sensible_size(ledger: Ledger, limit: int) -> None:
    with pytest.raises(InputError, match="limit"):
        ledger.incidents(limit=limit)


@pytest.mark.parametrize("wrong", [{"service": "\0"}, {"before": "\ud800"}])
def test_what_is_no_text_cannot_be_looked_for(ledger: Ledger, wrong: dict[str, str]) -> None:
    with pytest.raises(InputError, match="NUL or a lone surrogate"):
        ledger.incidents(**wrong)  # type: ignore[arg-type]


def test_a_page_cannot_follow_an_incident_that_is_not_there(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError):
        ledger.incidents(before="inc_9")


@pytest.mark.parametrize("name", ["nul \0 inside", "'; DROP TABLE ledger_events; --", "\N{PILE OF POO}", "x" * 100_000])
def test_hostile_names_are_kept_as_they_are(ledger: Ledger, name: str) -> None:
    ledger.append([opened(service=name)])
    assert ledger.incident("inc_1").service == name
    assert ledger.verify().ok


# The projection


def test_rebuilding_makes_the_same_incidents_again(ledger: Ledger, ledger_url: str) -> None:
    ledger.append(STORY)
    before = ledger.incidents()
    with intruder(ledger_url) as connection:
        connection.execute(sa.text("UPDATE incidents SET state = 'closed', body = '{}' WHERE id = 'inc_1'"))
        connection.execute(sa.text("DELETE FROM incidents WHERE id = 'inc_2'"))
    assert ledger.rebuild() == 2
    assert ledger.incidents() == before
    assert ledger.verify().ok


def test_rebuilding_from_events_that_cannot_be_read_changes_nothing(ledger: Ledger, ledger_url: str) -> None:
    ledger.append(STORY)
    before = ledger.incidents()
    with intruder(ledger_url) as connection:
        connection.execute(sa.text("UPDATE ledger_events SET body = 'x' WHERE seq = 6"))
    with pytest.raises(IntegrityError, match="event 6 cannot be read"):
        ledger.rebuild()
    assert ledger.incidents() == before


def test_an_unreadable_incident_is_an_error_and_not_an_empty_page(ledger: Ledger, ledger_url: str) -> None:
    ledger.append(STORY)
    with intruder(ledger_url) as connection:
        connection.execute(sa.text("UPDATE incidents SET body = '{'"))
    with pytest.raises(IntegrityError, match="ledger verify"):
        ledger.incidents()


def test_without_its_head_row_the_ledger_writes_nothing(ledger: Ledger, ledger_url: str) -> None:
    ledger.append(STORY)
    with intruder(ledger_url) as connection:
        connection.execute(sa.text("DELETE FROM ledger_head"))
    with pytest.raises(IntegrityError, match="head row"):
        ledger.append([comment(incident_id="inc_2")])


def test_a_database_that_went_away_is_a_store_error(ledger: Ledger, ledger_url: str) -> None:
    with intruder(ledger_url) as connection:
        connection.execute(sa.text("DROP TABLE incidents"))
    with pytest.raises(StoreError, match="ledger"):
        ledger.incidents()
