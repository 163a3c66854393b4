"""Encoders: the same calls written in the conventions that applications use, and as OTLP."""
