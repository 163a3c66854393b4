"""Calls, scores and changes in chDB or ClickHouse: the only analytical SQL."""
