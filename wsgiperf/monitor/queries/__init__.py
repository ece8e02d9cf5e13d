"""Database queries: counted and timed, each for the request that sent it."""
