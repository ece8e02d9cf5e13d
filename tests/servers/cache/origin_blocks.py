"""What the pages are made of; tests and application agree on it."""

from hashlib import sha256


def block_of(page, number, size):
    """Bytes that tell which page they belong to, and where in it."""
    mark = sha256(f"{page} {number}".encode()).hexdigest().encode()
    return (mark * (size // len(mark) + 1))[:size]
