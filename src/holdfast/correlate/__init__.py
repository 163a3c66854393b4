"""Signals → incidents: one cause, one incident. Pure."""
