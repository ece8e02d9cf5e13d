from django.core.management.base import BaseCommand

from blog.prepare import prepare


class Command(BaseCommand):
    help = "Makes tables, first content and collected static files, as the first start would."

    def handle(self, *args, **options):
        prepare()
