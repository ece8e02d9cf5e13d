from django.conf import settings

from .views import error_page


def refuse_large_bodies(get_response):
    """Answer 413 before anything reads the body: Django bounds forms, but not files.

    A body of unknown length needs no care: Django reads none of it.
    """

    def middleware(request):
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.LARGEST_REQUEST:
            return error_page(request, status=413)
        return get_response(request)

    return middleware
