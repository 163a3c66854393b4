from holdfast.ledger.tables import EVENTS, HEAD, INCIDENTS, METADATA, SESSIONS, TOKENS, USERS


def test_the_ledger_has_six_tables() -> None:
    assert set(METADATA.tables) == {table.name for table in (EVENTS, HEAD, INCIDENTS, USERS, TOKENS, SESSIONS)}


def test_no_column_may_be_empty() -> None:
    assert not [f"{t.name}.{c.name}" for t in METADATA.tables.values() for c in t.columns if c.nullable]


def test_numbers_and_versions_of_events_are_unique() -> None:
    unique = {tuple(column.name for column in index.columns) for index in EVENTS.indexes if index.unique}
    assert unique == {("incident_id", "version"), ("key",)}
    assert [c.name for c in EVENTS.primary_key] == ["seq"]
