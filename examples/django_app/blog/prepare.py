"""What a first start needs: tables, content, collected static files."""

import hashlib
from datetime import UTC, date, datetime

from communiconnect import seed, storage
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from .models import Comment, Member, Post


def prepare():
    """Make what is missing; workers that start together wait for the first."""
    with storage.one_at_a_time(settings.DATA / "start.lock"):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode = WAL")  # readers do not wait for the one who writes
        call_command("migrate", interactive=False, verbosity=0)
        if not Post.objects.exists():
            _first_content()
        _collect_static()
    # A master that loads the site before it forks must not leave its workers one open connection.
    connection.close()


@transaction.atomic
def _first_content():
    content = seed()
    members = {
        row["slug"]: Member.objects.create(**row | {"joined": date.fromisoformat(row["joined"])})
        for row in content["members"]
    }
    published = {}
    for number, row in enumerate(content["posts"], start=1):
        published[number] = datetime.fromisoformat(row["published"]).replace(tzinfo=UTC)
        Post.objects.create(
            id=number,
            author=members[row["author"]],
            topic=row["topic"],
            title=row["title"],
            body="\n\n".join(row["body"]),
            published=published[number],
        )
    for row in content["comments"]:
        number = row["post"]
        Comment.objects.create(post_id=number, name=row["name"], text=row["text"], written=published[number])


def _collect_static():
    # Only when a source changed: other workers may be serving the collected files already.
    digest = hashlib.sha256()
    for source in settings.STATICFILES_DIRS:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            digest.update(path.relative_to(source).as_posix().encode() + path.read_bytes())
    mark = settings.DATA / "static-sources"
    if not mark.exists() or mark.read_text() != digest.hexdigest():
        call_command("collectstatic", interactive=False, verbosity=0)
        mark.write_text(digest.hexdigest())
