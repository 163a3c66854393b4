"""Incidents as append-only, hash-chained events in SQLite or PostgreSQL: the only transactional SQL."""
