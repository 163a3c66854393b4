"""Guards: what is looked for in requests before a call and in answers after it, by the scorers that judge telemetry too."""
