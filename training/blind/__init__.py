"""Texts that measure and never train, written apart from `training/written` by authors who saw none of it nor of the data."""
