"""The fault hypotheses, one file per layer: what each one moves, where it sits, which change brings it, what to do about it."""
