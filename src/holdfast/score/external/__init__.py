"""Scorers that a user brings, by configuration alone: a judge, a classifier from a folder, an HTTP endpoint."""
