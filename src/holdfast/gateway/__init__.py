"""The data plane: model calls go through it, and what the control snapshot says is done to them. Needs nothing else to be up."""
