"""The ledger's tables, one migration after the other; run by Alembic whenever a ledger is opened."""
