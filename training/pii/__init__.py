"""Trains the finder of personal data: templates filled with made-up people, tagged by an encoder."""
