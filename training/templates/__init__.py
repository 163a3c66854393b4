"""Examples written for this project: grammars of attacks, of harmless look-alikes and of ordinary requests."""
