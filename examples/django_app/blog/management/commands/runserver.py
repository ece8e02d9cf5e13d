from django.core.management.commands.runserver import Command as RunserverCommand

from blog.prepare import prepare


class Command(RunserverCommand):
    """Django's own server, with static files by WhiteNoise as under every other server."""

    def check_migrations(self):
        prepare()
