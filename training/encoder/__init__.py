"""Trains the encoder of the stream scorers: a frozen trunk, and two layers and heads for each kind of task."""
