from django.conf import settings

from .views import error_page


def send_csrf_cookie_once(get_response):
    """Send the CSRF cookie to who hasn't got it, and not again with each form.

    Django does so to put off its end, in a year. A response that sets a cookie is in no cache.
    """
    name = settings.CSRF_COOKIE_NAME

    def middleware(request):
        response = get_response(request)
        cookie = response.cookies.get(name)
        if cookie is not None and cookie.value == request.COOKIES.get(name):
            del response.cookies[name]
        return response

    return middleware


def refuse_large_bodies(get_response):
    """Answer 413 before anything reads the body: Django bounds forms, but not files.

    A body of unknown length needs no care: Django reads none of it.
    """

    def middleware(request):
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.LARGEST_REQUEST:
            return error_page(request, status=413)
        return get_response(request)

    return middleware
