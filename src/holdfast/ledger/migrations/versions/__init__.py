"""One file per migration: only ever added to."""
