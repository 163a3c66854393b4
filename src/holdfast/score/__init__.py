"""Trace → Score: one file per scorer or small family. Read `protocol.py`, then `truncation.py`, then `registry.py`."""
