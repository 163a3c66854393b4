"""Fits and checks the calibration of the diagnosis: `python -m training.diagnose`."""
