"""The APIs that clients and targets speak: what a request asks, what an answer says, and answers of our own in the same words."""
