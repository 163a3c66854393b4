"""Fakes with real behaviour, for our tests and those of users."""
