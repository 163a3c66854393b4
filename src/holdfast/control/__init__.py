"""Desired state of the data plane: one versioned snapshot, leases over it, and the ways to read and change both."""
