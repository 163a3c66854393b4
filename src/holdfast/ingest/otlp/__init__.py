"""OTLP: bodies → records. One table per convention; `decode.py` is the file to read first."""

from holdfast.ingest.otlp.decode import (
    DOCUMENT_KEYS,
    Encoding,
    decode_document,
    decode_logs,
    decode_metrics,
    decode_traces,
    read_logs,
    read_metrics,
    read_traces,
)
from holdfast.ingest.otlp.redaction import Redactor
from holdfast.ingest.record import Decoded, Rejected

__all__ = [
    "DOCUMENT_KEYS",
    "Decoded",
    "Encoding",
    "Redactor",
    "Rejected",
    "decode_document",
    "decode_logs",
    "decode_metrics",
    "decode_traces",
    "read_logs",
    "read_metrics",
    "read_traces",
]
