"""Events for the tests of the ledger, and ways around its guard."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from holdfast.core.events import CommentAdded, IncidentAcknowledged, IncidentEvent, IncidentOpened, IncidentResolved, Recorded
from holdfast.core.incident import Severity, State


def opened(incident_id: str = "inc_1", service: str = "support", key: str = "", state: State = State.OPEN) -> Recorded:
    event = IncidentOpened(
        service=service, title="it hallucinates", severity=Severity.SEV2, started_ns=10, detected_ns=20, state=state
    )
    return Recorded(incident_id=incident_id, time_ns=20, actor="detector", event=event, key=key)


def then(event: IncidentEvent, incident_id: str = "inc_1", time_ns: int = 30, key: str = "") -> Recorded:
    return Recorded(incident_id=incident_id, time_ns=time_ns, actor="ada", event=event, key=key)


def comment(text: str = "looking", incident_id: str = "inc_1", key: str = "") -> Recorded:
    return then(CommentAdded(text=text), incident_id, key=key)


STORY = (
    opened("inc_1", key="k1"),
    opened("inc_2", service="search"),
    then(IncidentAcknowledged(), "inc_1"),
    comment("ünïcode \N{SNOWMAN} \0 '\"", "inc_2"),
    then(IncidentResolved(reason="fixed"), "inc_1"),
    comment("the last word", "inc_2"),
)
"""Two incidents, six events."""


@contextmanager
def intruder(url: str) -> Iterator[sa.Connection]:
    """Somebody who has all rights in the database, and takes the triggers away first."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            names = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(sa.text("ALTER TABLE ledger_events DISABLE TRIGGER ALL"))
        yield connection
    engine.dispose()
