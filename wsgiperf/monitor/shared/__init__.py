"""Memory that the worker processes of one server share: which file, who has which part, what all may read."""
