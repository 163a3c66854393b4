"""Actions: what can be done to contain an incident, each with what it takes to undo it."""
