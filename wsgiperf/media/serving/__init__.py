"""Variants of image responses: which one a client gets, where it is kept, and who makes it."""
