"""Tables of the telemetry store, as numbered migrations that run on chDB and on ClickHouse alike.

Times are whole nanoseconds (`Int64`), never `DateTime`: an embedded engine takes the host's time zone for those. Partitions are
UTC days since the epoch. The sorting key of `calls` starts with application and minute, so that a window of one application
is read without touching the rest, and ends with (trace_id, span_id), so that equal rows collapse.
"""

from holdfast.core.errors import StoreError
from holdfast.telemetry.connection import Connection

DAY_NS = 86_400_000_000_000

_DURABLE = "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
"""An acknowledged insert survives a power cut: the pipeline moves its checkpoint on after it."""

# `labels` is `dimensions` as JSON: a map is made for filters, and takes ten times as long to read back. Scorer and version
# are plain strings since a dictionary for every insert costs more time than it saves in space.
_CALLS = f"""
CREATE TABLE IF NOT EXISTS calls (
    trace_id String,
    span_id String,
    parent_span_id String,
    service LowCardinality(String),
    name String,
    kind LowCardinality(String),
    status LowCardinality(String),
    error_type String,
    start_ns Int64 CODEC(Delta, ZSTD(1)),
    end_ns Int64 CODEC(Delta, ZSTD(1)),
    model String,
    response_id String,
    input_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    cost_usd Nullable(Float64),
    dimensions Map(LowCardinality(String), Array(String)),
    labels String CODEC(ZSTD(1)),
    scores Nested(
        name LowCardinality(String),
        value Float64,
        scorer String,
        version String,
        why String,
        spans String
    ),
    failures Nested(
        scorer String,
        version String,
        error_type String,
        message String
    ),
    body String CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_response response_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_end end_ns TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(end_ns, {DAY_NS})
ORDER BY (service, intDiv(end_ns, 60000000000), trace_id, span_id)
{_DURABLE}
"""

_EVALUATIONS = f"""
CREATE TABLE IF NOT EXISTS evaluations (
    service LowCardinality(String),
    time_ns Int64,
    trace_id String,
    span_id String,
    response_id String,
    name LowCardinality(String),
    value Nullable(Float64),
    label String,
    explanation String,
    annotator String,
    body String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(time_ns, {DAY_NS})
ORDER BY (service, time_ns, trace_id, span_id, response_id, body)
{_DURABLE}
"""

_CHANGES = f"""
CREATE TABLE IF NOT EXISTS changes (
    source String,
    id String,
    time_ns Int64,
    kind LowCardinality(String),
    service LowCardinality(String),
    body String
)
ENGINE = ReplacingMergeTree
ORDER BY (source, id)
{_DURABLE}
"""

_METRIC_POINTS = f"""
CREATE TABLE IF NOT EXISTS metric_points (
    service LowCardinality(String),
    name LowCardinality(String),
    time_ns Int64 CODEC(Delta, ZSTD(1)),
    value Float64,
    unit LowCardinality(String),
    attributes String
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(time_ns, {DAY_NS})
ORDER BY (service, name, time_ns, attributes, value, unit)
{_DURABLE}
"""

# Only ever added to: the last of equal (trace_id, span_id, metric) by time counts, and what stood before it can be read.
_LABELS = f"""
CREATE TABLE IF NOT EXISTS labels (
    service LowCardinality(String),
    trace_id String,
    span_id String,
    metric LowCardinality(String),
    failed Bool,
    actor String,
    time_ns Int64,
    note String,
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (service, metric, trace_id, span_id, time_ns, actor, failed, note)
{_DURABLE}
"""

# The body is MessagePack, in which texts stand as they are: a header that sticks to a word leaves the word findable, since what
# is looked for is looked for inside of words. Calls that were there before stay without, and are read through as before.
_BY_TEXT = "ALTER TABLE calls ADD INDEX IF NOT EXISTS by_text lowerUTF8(body) TYPE text(tokenizer = splitByNonAlpha)"

MIGRATIONS: tuple[tuple[str, ...], ...] = ((_CALLS, _EVALUATIONS, _CHANGES, _METRIC_POINTS), (_LABELS,), (_BY_TEXT,))
"""Statements of version 1, 2, …: only ever added to. Each may be run twice, since two servers may start at once."""

DAILY = {"calls": "end_ns", "evaluations": "time_ns", "metric_points": "time_ns"}
"""Tables that retention prunes by day, and the column that says which day. Changes and labels are few and stay."""

_VERSIONS = """
CREATE TABLE IF NOT EXISTS holdfast_schema (version UInt32, applied_by String)
ENGINE = ReplacingMergeTree ORDER BY version
"""


def migrate(connection: Connection) -> int:
    """Brings the tables to this version of Holdfast, and returns it.

    Raises:
        StoreError: the tables were made by a newer Holdfast, or the store refused.
    """
    connection.command(_VERSIONS)
    found = int(connection.rows("SELECT max(version) FROM holdfast_schema")[0][0])
    if found > len(MIGRATIONS):
        raise StoreError(
            f"telemetry store {connection.place} has schema {found}, this Holdfast knows up to {len(MIGRATIONS)}: "
            "run the newer Holdfast, or choose an empty store"
        )
    for version in range(found + 1, len(MIGRATIONS) + 1):
        for statement in MIGRATIONS[version - 1]:
            connection.command(statement)
        connection.insert("holdfast_schema", {"version": [version], "applied_by": ["holdfast"]})
    return len(MIGRATIONS)
