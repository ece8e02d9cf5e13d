"""The example sites, and what browsers do with a nonce, seen in a real browser."""
