"""Decoys: what looks like trouble and is none."""
