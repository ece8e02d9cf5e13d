"""Purges, for the views that change something."""

from contextlib import suppress

from wsgiperf.django import purge
from wsgiperf.purging import PurgeFailed


def forget(*tags):
    """Purge what has one of these tags, in all workers."""
    for tag in tags:
        # The library has logged it. The pages are out of date for some minutes, which is no reason to tell a
        # visitor that the comment was not taken.
        with suppress(PurgeFailed):
            purge("tag", tag)
