"""`Vault`: sealed originals in a database of their own, bounded in rows and in time."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from holdfast.context.entities import SECRETS, Pseudonym
from holdfast.context.originals import Original
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import NotFoundError
from holdfast.ledger.database import Database, Schema
from holdfast.vault.keys import VaultKeys
from holdfast.vault.sealing import Sealed, seal, unseal
from holdfast.vault.tables import ORIGINALS, VERSION_TABLE

VAULT = Schema(name="vault", migrations=Path(__file__).parent / "migrations", version_table=VERSION_TABLE)
DAY_NS = 86_400 * NS_PER_S
MAX_SHARED = 8
"""Values shown of one pseudonym; that two share one takes tens of thousands of values."""
MAX_ASKED = 500


class VaultPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds: what was not found for `keep_ns` goes with the calls; of an application the latest `most` are kept."""

    keep_ns: int = 30 * DAY_NS
    most: int = 100_000


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """What a pseudonym stands for. More than one value only where two of them share it by chance."""

    application: str
    pseudonym: Pseudonym
    values: tuple[str, ...]
    seen_ns: int

    def __repr__(self) -> str:
        """Without the values: for logs and tracebacks."""
        return f"Revealed({self.application!r}, {self.pseudonym})"


class Vault:
    """Safe for many threads and processes.

    Args:
        url: as `holdfast.ledger.database.Database` takes it.
        keys: the first seals.
        policy: bounds.
        clock: the time.

    Raises:
        ConfigurationError: `url` is of no database that can be used.
        StoreError: it cannot be opened. Every method raises it when the database refuses.
    """

    def __init__(self, url: str, keys: VaultKeys, policy: VaultPolicy, clock: Clock) -> None:
        self._keys, self._policy, self._clock = keys, policy, clock
        self._database = Database(url, VAULT)

    def keep(self, originals: Iterable[Original]) -> int:
        """Seals `originals`, and returns how many there were. Secrets and what is too old already are left out.

        Found again, a value lives on from then. Beyond the bound those not found for the longest time make room.
        """
        cutoff = self._cutoff()
        wanted = (o for o in originals if o.entity not in SECRETS and o.time_ns >= cutoff)
        rows = [msgspec.structs.asdict(seal(original, self._keys)) for original in wanted]
        if not rows:
            return 0
        with self._database.writing() as connection:
            connection.execute(_upsert(connection.dialect.name), rows)
            for application in sorted({row["application"] for row in rows}):
                self._make_room(connection, application)
        return len(rows)

    def reveal(self, application: str, pseudonym: Pseudonym) -> Revealed:
        """What `pseudonym` stands for in `application`.

        Raises:
            NotFoundError: the vault has it not, or not any more; says why that may be.
            UnopenedError: what it has does not open.
        """
        query = sa.select(ORIGINALS).where(_of(application, pseudonym)).order_by(ORIGINALS.c.seen_ns.desc())
        with self._database.reading() as connection:
            found = [Sealed(**row) for row in connection.execute(query.limit(MAX_SHARED)).mappings()]
        if not found:
            raise NotFoundError(
                f"the vault holds no {pseudonym} of {application}: it was never sealed (applications.{application}.redaction), "
                "was redacted before it came here, was not found again for as long as calls are kept, was erased, or made room"
            )
        living = [one for one in found if one.seen_ns >= self._cutoff()]
        if not living:
            raise NotFoundError(f"{pseudonym} of {application} expired with the calls that it was found in")
        values = tuple(unseal(one, self._keys) for one in living)
        return Revealed(application=application, pseudonym=pseudonym, values=values, seen_ns=living[0].seen_ns)

    def known(self, application: str, pseudonyms: Sequence[Pseudonym]) -> frozenset[Pseudonym]:
        """Those of the first 500 `pseudonyms` that can be asked for."""
        pairs = [(p.entity.value, p.digits) for p in pseudonyms[:MAX_ASKED]]
        if not pairs:
            return frozenset()
        named = sa.tuple_(ORIGINALS.c.entity, ORIGINALS.c.digits)
        query = sa.select(ORIGINALS.c.entity, ORIGINALS.c.digits).where(
            ORIGINALS.c.application == application, ORIGINALS.c.seen_ns >= self._cutoff(), named.in_(pairs)
        )
        with self._database.reading() as connection:
            found = {(row.entity, row.digits) for row in connection.execute(query)}
        return frozenset(p for p in pseudonyms if (p.entity.value, p.digits) in found)

    def erase(self, application: str, pseudonym: Pseudonym, noted: Callable[[int], None]) -> int:
        """Deletes what `pseudonym` stands for in `application`, for good, and returns how many values that were.

        `noted` is called with their number before the deletion is final: when it raises, nothing is deleted.

        Raises:
            NotFoundError: there is nothing to erase.
        """
        with self._database.writing() as connection:
            count = connection.execute(sa.delete(ORIGINALS).where(_of(application, pseudonym))).rowcount
            if not count:
                raise NotFoundError(f"the vault holds no {pseudonym} of {application}")
            noted(count)
        self._database.scrub()
        return count

    def forget_before(self, time_ns: int) -> int:
        """Deletes what was not found since the UTC day of `time_ns` began, as calls are, and returns how many that were."""
        with self._database.writing() as connection:
            gone = connection.execute(sa.delete(ORIGINALS).where(ORIGINALS.c.seen_ns < _day(time_ns))).rowcount
        if gone:
            self._database.scrub()
        return gone

    def count(self) -> dict[str, int]:
        """Originals by application."""
        query = sa.select(ORIGINALS.c.application, sa.func.count()).group_by(ORIGINALS.c.application)
        with self._database.reading() as connection:
            return {application: count for application, count in connection.execute(query)}

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()

    def _cutoff(self) -> int:
        return _day(self._clock.now_ns() - self._policy.keep_ns)

    def _make_room(self, connection: sa.Connection, application: str) -> None:
        mine = ORIGINALS.c.application == application
        count = connection.execute(sa.select(sa.func.count()).select_from(ORIGINALS).where(mine)).scalar() or 0
        if count <= self._policy.most:
            return
        key = (ORIGINALS.c.entity, ORIGINALS.c.digits, ORIGINALS.c.code)
        oldest = sa.select(*key).where(mine).order_by(ORIGINALS.c.seen_ns, *key).limit(count - self._policy.most)
        connection.execute(sa.delete(ORIGINALS).where(mine, sa.tuple_(*key).in_(oldest)))


def _of(application: str, pseudonym: Pseudonym) -> sa.ColumnElement[bool]:
    return sa.and_(
        ORIGINALS.c.application == application,
        ORIGINALS.c.entity == pseudonym.entity.value,
        ORIGINALS.c.digits == pseudonym.digits,
    )


def _day(time_ns: int) -> int:
    """When the UTC day of `time_ns` began: telemetry is forgotten by whole days."""
    return time_ns // DAY_NS * DAY_NS


def _upsert(dialect: str) -> Any:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(ORIGINALS)
    newer = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["application", "entity", "digits", "code"],
        set_={"key_id": newer.key_id, "sealed": newer.sealed, "seen_ns": newer.seen_ns},
        where=newer.seen_ns > ORIGINALS.c.seen_ns,
    )
