"""The secure context layer: what is kept of telemetry is redacted first, and always treated as hostile."""
