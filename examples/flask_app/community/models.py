"""Tables, first content, and the engine with its pool."""

from datetime import UTC, date, datetime

from communiconnect import TOPICS, seed
from flask import current_app, g
from sqlalchemy import ForeignKey, create_engine, event, func, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    column_property,
    mapped_column,
    relationship,
    sessionmaker,
)


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    bio: Mapped[str]
    tone: Mapped[int]
    joined: Mapped[date]

    @property
    def initials(self):
        return "".join(word[0] for word in self.name.split())


class Comment(Base):
    __tablename__ = "comment"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"), index=True)
    name: Mapped[str]
    text: Mapped[str]
    written: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


class Post(Base):
    __tablename__ = "post"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    topic: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    body: Mapped[str]
    published: Mapped[datetime] = mapped_column(index=True)
    # One query for a page of posts, not one a post.
    author: Mapped[Member] = relationship(lazy="joined")
    comments: Mapped[list[Comment]] = relationship(order_by=Comment.id)

    @property
    def topic_label(self):
        return TOPICS[self.topic]

    @property
    def paragraphs(self):
        return self.body.split("\n\n")


# Counted by the query that fetches the posts.
Post.comment_count = column_property(
    select(func.count(Comment.id))
    .where(Comment.post_id == Post.id)
    .correlate_except(Comment)
    .scalar_subquery()
)


def init_app(app, path):
    """Open the database, fill it if it is new, and give each request a session."""
    pool = app.config["DATABASE_POOL"]
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30}, **pool)
    event.listen(engine, "connect", _prepare)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        if session.scalar(select(func.count(Post.id))) == 0:
            session.add_all(first_content())
    # A master that loads the site before it forks must not leave its workers one open connection.
    engine.dispose()
    app.extensions["sqlalchemy"] = sessionmaker(engine)
    app.teardown_appcontext(_close)


def _prepare(connection, record):
    # Readers do not wait for the one who writes; references are checked, which SQLite does only if told.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")


def session():
    """The session of this request."""
    if "session" not in g:
        g.session = current_app.extensions["sqlalchemy"]()
    return g.session


def _close(error):
    if "session" in g:
        g.session.close()


def first_content():
    """The seed as rows."""
    content = seed()
    members = {
        row["slug"]: Member(**row | {"joined": date.fromisoformat(row["joined"])})
        for row in content["members"]
    }
    for number, row in enumerate(content["posts"], start=1):
        published = datetime.fromisoformat(row["published"])
        comments = [
            Comment(name=comment["name"], text=comment["text"], written=published)
            for comment in content["comments"]
            if comment["post"] == number
        ]
        yield Post(
            id=number,
            author=members[row["author"]],
            topic=row["topic"],
            title=row["title"],
            body="\n\n".join(row["body"]),
            published=published,
            comments=comments,
        )
