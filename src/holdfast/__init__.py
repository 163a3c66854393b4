"""Holdfast: incident management for LLM applications."""

import os

# Our matrices are small: several BLAS threads only wait for each other, and take the core that the receiver needs.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
