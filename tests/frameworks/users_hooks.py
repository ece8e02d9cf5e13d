"""A hook that a configuration file names by a string."""


def post_fork(server, worker):
    """Writes a line."""
    worker.log.info("the user's post_fork, by name")
