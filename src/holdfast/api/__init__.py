"""The HTTP API: thin, no logic. Everything it answers is read from the ledger and the telemetry store."""
