"""Scores → signals: sequential detectors on many streams at a stated false-alarm budget. Pure, and driven by event time."""
