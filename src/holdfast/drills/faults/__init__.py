"""Faults: one file per layer, and the registry of all of them."""
