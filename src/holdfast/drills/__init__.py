"""Drills: sample applications, their traffic, and faults in it, with the truth known. `scenario.py` is the file to read first."""
