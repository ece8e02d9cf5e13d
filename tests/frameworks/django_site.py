"""The URLs and views of the Django site for the tests."""

from django.conf import settings
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import include, path, re_path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.clickjacking import xframe_options_exempt, xframe_options_sameorigin

import wsgiperf.django

LONG = "long enough to be compressed " * 100


def configure():
    """Make this process a Django process, for this module."""
    import django
    import django_site_settings

    if not settings.configured:
        named = {name: value for name, value in vars(django_site_settings).items() if name.isupper()}
        settings.configure(**named)
        django.setup()


def long(request, **_):
    return HttpResponse(LONG)


def boom(request, number):
    return HttpResponse(1 // number)


def file(request, name):
    response = FileResponse(open(__file__, "rb"))  # noqa: SIM115 - Django closes it
    response["Content-Type"] = "text/css"
    return response


@wsgiperf.django.options(compression=False)
def plain(request):
    return HttpResponse(LONG)


@wsgiperf.django.options(compression=False)
async def plain_async(request):
    return HttpResponse(LONG)


@method_decorator(wsgiperf.django.options(compression=False), name="dispatch")
class Plain(View):
    def get(self, request):
        return HttpResponse(LONG)


urlpatterns = [
    path("", long),
    path("posts/<int:number>", boom),
    re_path(r"^old/(?P<year>[0-9]{4})/$", long),
    path("archive/", include([re_path(r"^(?P<year>[0-9]{4})/$", long)])),
    path("widget", xframe_options_exempt(long)),
    path("neighbour", xframe_options_sameorigin(long)),
    path("chosen", wsgiperf.django.options(security={"frame": "self"})(xframe_options_exempt(long))),
    path("bare", wsgiperf.django.options(security=False)(xframe_options_exempt(long))),
    path("plain", plain),
    path("plain-async", plain_async),
    path("plain-class", Plain.as_view()),
    path("page", lambda request: render(request, "page.html")),
    path("stream", lambda request: StreamingHttpResponse(iter([b"a", b"b"]))),
    path("assets/<name>", file),
    path("uploads/<name>", file),
]
