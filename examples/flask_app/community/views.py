"""Pages, forms, downloads, the JSON API and the event stream."""

from communiconnect import CALENDAR, TOPICS, events, photos
from flask import (
    Blueprint,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    send_file,
    send_from_directory,
    url_for,
)
from sqlalchemy import func, select

from wsgiperf.flask import options
from wsgiperf.timing import span

from . import forms
from .models import Comment, Member, Post, session

site = Blueprint("site", __name__)


@site.get("/")
def index():
    topic = request.args.get("topic")
    # The span appears as "db" in the Server-Timing field, and so in the browser's developer tools.
    with span("db"):
        posts = session().scalars(posts_of(topic)).all()
    return render_template("index.html", posts=posts, topic=topic, topics=TOPICS)


def posts_of(topic):
    query = select(Post).order_by(Post.published.desc())
    return query.where(Post.topic == topic) if topic in TOPICS else query


@site.route("/posts/<int:number>", methods=["GET", "POST"])
def post(number):
    post = session().get(Post, number) or abort(404)
    comment = Comment(post_id=number, name="", text="")
    errors = {}
    if request.method == "POST":
        comment.name = request.form.get("name", "").strip()
        comment.text = request.form.get("text", "").strip()
        errors = forms.comment_errors(comment.name, comment.text)
        if not errors:
            session().add(comment)
            session().commit()
            return redirect(url_for(".post", number=number, _anchor=f"comment-{comment.id}"), 303)
    page = render_template("post.html", post=post, comment=comment, errors=errors, **neighbours(post))
    return page, 422 if errors else 200


def neighbours(post):
    """The posts before and after this one."""
    newer = select(Post).where(Post.published > post.published).order_by(Post.published)
    older = select(Post).where(Post.published < post.published).order_by(Post.published.desc())
    return {
        "newer": session().scalars(newer.limit(1)).first(),
        "older": session().scalars(older.limit(1)).first(),
    }


@site.get("/members/<slug>")
def member(slug):
    member = session().scalar(select(Member).where(Member.slug == slug)) or abort(404)
    posts = select(Post).where(Post.author == member).order_by(Post.published.desc())
    return render_template("member.html", member=member, posts=session().scalars(posts).all())


@site.get("/about")
def about():
    return render_template("about.html")


@site.get("/latest")
def latest():
    number = session().scalar(select(Post.id).order_by(Post.published.desc()))
    return redirect(url_for(".post", number=number))


@site.get("/download")
def download():
    # send_file hands the open file to the server's own file wrapper.
    return send_file(CALENDAR, as_attachment=True, download_name="lime-tree-quarter.ics")


@site.route("/upload", methods=["GET", "POST"])
def upload():
    error = None
    if request.method == "POST":
        file = request.files.get("photo") or abort(400)
        try:
            photo = photos.keep(current_app.config["PHOTOS"], file)
        except photos.RefusedPhotoError as refusal:
            error = str(refusal)
        else:
            return redirect(url_for(".photo", name=photo.name), 303)
    gallery = photos.newest(current_app.config["PHOTOS"])
    return render_template("upload.html", gallery=gallery, error=error), 422 if error else 200


@site.get("/upload/<name>")
def photo(name):
    photo = photos.find(current_app.config["PHOTOS"], name) or abort(404)
    return render_template("photo.html", photo=photo)


@site.get("/media/<name>")
def media(name):
    return send_from_directory(current_app.config["PHOTOS"], name)


@site.get("/favicon.ico")
def icon():
    # Browsers ask for it where no page tells them of another: beside JSON, say.
    return redirect(url_for("static", filename="favicon.svg"))


@site.get("/boom")
def boom():
    raise RuntimeError("This page always fails, to show what a visitor sees then.")


@site.get("/events")
@options(compression=False)  # some sixty bytes now and then: nothing to win
def live():
    sessions = current_app.extensions["sqlalchemy"]
    directory = current_app.config["PHOTOS"]

    def figures():
        # Runs while the response is under way, so with a session of its own that it gives back at once.
        with sessions() as session:
            return {
                "posts": session.scalar(select(func.count(Post.id))),
                "comments": session.scalar(select(func.count(Comment.id))),
                "photos": len(photos.newest(directory)),
            }

    return events.stream(figures), {"Content-Type": "text/event-stream"} | events.HEADERS


@site.get("/api/posts")
def api_posts():
    posts = session().scalars(posts_of(request.args.get("topic")))
    return jsonify(posts=[as_json(post) for post in posts])


@site.get("/api/posts/<int:number>")
def api_post(number):
    post = session().get(Post, number) or abort(404)
    comments = [{"name": comment.name, "text": comment.text} for comment in post.comments]
    return jsonify(as_json(post) | {"body": post.paragraphs, "comments": comments})


def as_json(post):
    return {
        "id": post.id,
        "title": post.title,
        "topic": post.topic,
        "author": post.author.name,
        "published": post.published.isoformat(),
        "comments": post.comment_count,
        "url": url_for(".post", number=post.id),
    }
