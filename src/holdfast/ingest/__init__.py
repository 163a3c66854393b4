"""Bytes become records: OTLP, files and change events in; calls, evaluations, metric points and changes out."""
