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
    url_for,
)
from flask import session as visitor
from sqlalchemy import func, select

from wsgiperf.flask import cache_tags, options
from wsgiperf.media import MediaError
from wsgiperf.media.uploads import UploadCheck, sentence
from wsgiperf.timing import span

from . import forms
from .caching import forget
from .models import Comment, Member, Post, session

site = Blueprint("site", __name__)

KEPT = 20  # comments that a visitor is shown as their own; a cookie has room for some more
# As a validator of a WTForms field it would be called by the form.
check_photo = UploadCheck(sentences=photos.SENTENCES, missing=photos.MISSING, **photos.ACCEPTED)


@site.get("/")
def index():
    topic = request.args.get("topic")
    # The span appears as "db" in the Server-Timing field, and so in the browser's developer tools.
    with span("db"):
        posts = session().scalars(posts_of(topic)).all()
    tag_with(posts)
    return render_template("index.html", posts=posts, topic=topic, topics=TOPICS)


def tag_with(posts):
    """Give the response a tag for each post that it shows: all that shows one is purged by its tag."""
    cache_tags(*(f"post-{post.id}" for post in posts))


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
            forget(f"post-{number}")
            # In the session, by which a visitor's own pages are kept: with it their key is another.
            visitor["wrote"] = [*visitor.get("wrote", []), comment.id][-KEPT:]
            return redirect(url_for(".post", number=number, _anchor=f"comment-{comment.id}"), 303)
    tag_with([post])
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
    posts = session().scalars(select(Post).where(Post.author == member).order_by(Post.published.desc())).all()
    tag_with(posts)
    return render_template("member.html", member=member, posts=posts)


@site.get("/profile")
def profile():
    """What this visitor wrote: a page of nobody else's."""
    wrote = select(Comment, Post).join(Post, Post.id == Comment.post_id).order_by(Comment.id.desc())
    wrote = wrote.where(Comment.id.in_(visitor.get("wrote", [])))
    return render_template("profile.html", comments=session().execute(wrote).all())


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
        file = request.files.get("photo")
        error = check_photo.error(file)
        if error is None:
            try:
                upload = photos.keep(current_app.config["PHOTOS"], file.stream)
            except MediaError as refusal:
                error = sentence(refusal, photos.SENTENCES)
            else:
                forget("photos")
                return redirect(url_for(".photo", name=upload.digest), 303)
    gallery = [photos.shown(upload, address) for upload in photos.newest(current_app.config["PHOTOS"])]
    return render_template("upload.html", gallery=gallery, error=error), 422 if error else 200


def address(name):
    """Of a stored file."""
    return url_for(".media", name=name)


@site.get("/upload/<name>")
def photo(name):
    upload = photos.find(current_app.config["PHOTOS"], name) or abort(404)
    return render_template("photo.html", photo=photos.shown(upload, address, photos.ALONE))


@site.get("/media/<path:name>")
def media(name):
    # send_file also answers for a part of a video, which is how browsers find their way in it.
    return send_file(photos.stored(current_app.config["PHOTOS"], name) or abort(404))


@site.get("/favicon.ico")
def icon():
    # Browsers ask for it where no page tells them of another: beside JSON, say.
    return redirect(url_for("static", filename="favicon.svg"))


@site.get("/boom")
def boom():
    raise RuntimeError("This page always fails, to show what a visitor sees then.")


@site.get("/events")
# Some sixty bytes now and then: nothing to win. And what happens now is never what happened then.
@options(compression=False, cache=False)
def live():
    return events.stream(figures()), {"Content-Type": "text/event-stream"} | events.HEADERS


def figures():
    """A function that counts, also while the response is under way and there is no application any more."""
    sessions = current_app.extensions["sqlalchemy"]
    directory = current_app.config["PHOTOS"]

    def count():
        # With a session of its own, which it gives back at once.
        with sessions() as session:
            return {
                "posts": session.scalar(select(func.count(Post.id))),
                "comments": session.scalar(select(func.count(Comment.id))),
                "photos": len(photos.newest(directory)),
            }

    return count


@site.get("/api/figures")
def api_figures():
    return jsonify(figures()())


@site.get("/api/posts")
def api_posts():
    posts = session().scalars(posts_of(request.args.get("topic"))).all()
    tag_with(posts)
    return jsonify(posts=[as_json(post) for post in posts])


@site.get("/api/posts/<int:number>")
def api_post(number):
    post = session().get(Post, number) or abort(404)
    tag_with([post])
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
