"""Events → people: the analysis document, the timeline and the post-mortem. Everything is derived from the ledger."""
