"""The row that names the last event of the chain: who appends locks it, and moves it on in the same transaction."""

import sqlalchemy as sa

from holdfast.core.errors import IntegrityError
from holdfast.ledger.chain import Anchor
from holdfast.ledger.tables import HEAD


def head_of(connection: sa.Connection, lock: bool = False) -> Anchor:
    """Number and hash of the last event; with `lock`, nobody else appends until the transaction ends.

    Raises:
        IntegrityError: the row is missing.
    """
    query = sa.select(HEAD.c.seq, HEAD.c.hash)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise IntegrityError("the head row of the ledger is missing: run `holdfast ledger verify`, then restore a backup")
    return Anchor(row.seq, row.hash)


def move_head(connection: sa.Connection, to: Anchor) -> None:
    """Names another last event."""
    connection.execute(sa.update(HEAD).values(seq=to.seq, hash=to.hash))
