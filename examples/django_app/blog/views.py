"""Pages, forms, downloads, the JSON API and the event stream."""

from http import HTTPStatus

from communiconnect import CALENDAR, TOPICS, events, photos
from django.conf import settings
from django.http import FileResponse, Http404, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_cookie

from wsgiperf.django import cache_tags, options
from wsgiperf.media import MediaError
from wsgiperf.media.uploads import sentence
from wsgiperf.timing import span

from .caching import forget
from .files import send_file
from .forms import CommentForm, PhotoForm
from .models import Comment, Member, Post

KEPT = 20  # comments that a visitor is shown as their own
require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def index(request):
    topic = request.GET.get("topic")
    # The span appears as "db" in the Server-Timing field, and so in the browser's developer tools.
    with span("db"):
        posts = list(Post.objects.for_cards().about(topic))
    tag_with(posts)
    return render(request, "index.html", {"posts": posts, "topic": topic, "topics": TOPICS})


def tag_with(posts):
    """Give the response a tag for each post that it shows: all that shows one is purged by its tag."""
    cache_tags(*(f"post-{post.pk}" for post in posts))


@require_form
def post(request, number):
    post = get_object_or_404(Post.objects.for_cards(), pk=number)
    form = CommentForm(request.POST or None, instance=Comment(post=post), label_suffix="")
    if form.is_valid():
        comment = form.save()
        forget(f"post-{number}")
        response = see_other(reverse("post", args=[number]) + f"#comment-{comment.pk}")
        # By this cookie the visitor's own pages are kept: with it their key is another.
        wrote = ",".join(map(str, [*written_by(request), comment.pk][-KEPT:]))
        response.set_signed_cookie("wrote", wrote, httponly=True, samesite="Lax")
        return response
    tag_with([post])
    context = {
        "post": post,
        "form": form,
        "comments": post.comments.all(),
        "newer": Post.objects.filter(published__gt=post.published).last(),
        "older": Post.objects.filter(published__lt=post.published).first(),
    }
    return render(request, "post.html", context, status=422 if form.errors else 200)


def written_by(request):
    """The comments that were sent from this browser."""
    wrote = request.get_signed_cookie("wrote", "")
    return [int(number) for number in wrote.split(",") if number]


def see_other(address):
    """303: fetch the result of a form by GET."""
    response = redirect(address)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


@require_safe
def member(request, slug):
    member = get_object_or_404(Member, slug=slug)
    posts = list(member.posts.for_cards())
    tag_with(posts)
    return render(request, "member.html", {"member": member, "posts": posts})


@require_safe
@vary_on_cookie
def profile(request):
    """What this visitor wrote: a page of nobody else's."""
    comments = Comment.objects.filter(pk__in=written_by(request)).select_related("post").order_by("-pk")
    return render(request, "profile.html", {"comments": comments})


@require_safe
def about(request):
    return render(request, "about.html")


@require_safe
def latest(request):
    return redirect("post", Post.objects.first().pk)


@require_safe
def download(request):
    # FileResponse hands the open file to the server's own file wrapper.
    file = CALENDAR.open("rb")
    return FileResponse(file, as_attachment=True, filename="lime-tree-quarter.ics")


@require_form
def upload(request):
    form = PhotoForm(request.POST, request.FILES) if request.method == "POST" else PhotoForm()
    if form.is_valid():
        try:
            upload = photos.keep(settings.MEDIA_ROOT, form.cleaned_data["photo"])
        except MediaError as refusal:
            form.add_error("photo", sentence(refusal, photos.SENTENCES))
        else:
            forget("photos")
            return see_other(reverse("photo", args=[upload.digest]))
    gallery = [photos.shown(upload, address) for upload in photos.newest(settings.MEDIA_ROOT)]
    context = {"gallery": gallery, "form": form}
    return render(request, "upload.html", context, status=422 if form.errors else 200)


def address(name):
    """Of a stored file."""
    return reverse("media", args=[name])


@require_safe
def photo(request, name):
    upload = photos.find(settings.MEDIA_ROOT, name)
    if upload is None:
        raise Http404
    return render(request, "photo.html", {"photo": photos.shown(upload, address, photos.ALONE)})


@require_safe
def media(request, name):
    path = photos.stored(settings.MEDIA_ROOT, name)
    if path is None:
        raise Http404
    return send_file(request, path)


@require_safe
def icon(request):
    # Browsers ask for it where no page tells them of another: beside JSON, say.
    return redirect(static("favicon.svg"))


@require_safe
def boom(request):
    raise RuntimeError("This page always fails, to show what a visitor sees then.")


@require_safe
# Some sixty bytes now and then: nothing to win. And what happens now is never what happened then.
@options(compression=False, cache=False)
def live(request):
    blocks = events.stream(figures)
    return StreamingHttpResponse(blocks, content_type="text/event-stream", headers=events.HEADERS)


def figures():
    return {
        "posts": Post.objects.count(),
        "comments": Comment.objects.count(),
        "photos": len(photos.newest(settings.MEDIA_ROOT)),
    }


@require_safe
def api_figures(request):
    return JsonResponse(figures())


@require_safe
def api_posts(request):
    posts = list(Post.objects.for_cards().about(request.GET.get("topic")))
    tag_with(posts)
    return JsonResponse({"posts": [as_json(post) for post in posts]})


@require_safe
def api_post(request, number):
    post = get_object_or_404(Post.objects.for_cards(), pk=number)
    comments = list(post.comments.values("name", "text"))
    tag_with([post])
    return JsonResponse(as_json(post) | {"body": post.paragraphs, "comments": comments})


def as_json(post):
    return {
        "id": post.pk,
        "title": post.title,
        "topic": post.topic,
        "author": post.author.name,
        "published": post.published.isoformat(),
        "comments": post.comment_count,
        "url": reverse("post", args=[post.pk]),
    }


ERROR_TEXTS = {
    403: "This form has expired. Please go back, reload the page and try again.",
    404: "The page may have moved house, or the address has a slip in it.",
    413: photos.SENTENCES["too_many_bytes"],
    500: "It is our fault, it has been written down, and somebody will look at it.",
}
ERROR_TITLES = {404: "Nobody lives here", 413: "Too large", 500: "Something broke"}


def error_page(request, exception=None, *, status):
    """Error pages: HTML for people, JSON under /api/."""
    phrase = HTTPStatus(status).phrase
    if request.path_info.startswith("/api/"):
        return JsonResponse({"error": phrase}, status=status)
    context = {
        "code": status,
        "title": ERROR_TITLES.get(status, phrase),
        "text": ERROR_TEXTS.get(status, "The server did not understand this request."),
    }
    response = render(request, "error.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"  # it names this very request
    return response


def csrf_failure(request, reason=""):
    return error_page(request, status=403)
