"""The console: the same answers as the API, as pages. Rendered here, so that no text of telemetry ever meets a script."""
