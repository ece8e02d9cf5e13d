"""The same addresses as in the Flask site."""

from functools import partial

from blog import views
from django.urls import path

urlpatterns = [
    path("", views.index, name="index"),
    path("posts/<int:number>", views.post, name="post"),
    path("members/<slug:slug>", views.member, name="member"),
    path("profile", views.profile, name="profile"),
    path("about", views.about, name="about"),
    path("latest", views.latest, name="latest"),
    path("download", views.download, name="download"),
    path("upload", views.upload, name="upload"),
    path("upload/<str:name>", views.photo, name="photo"),
    path("media/<path:name>", views.media, name="media"),
    path("favicon.ico", views.icon, name="icon"),
    path("boom", views.boom, name="boom"),
    path("events", views.live, name="events"),
    path("api/figures", views.api_figures, name="api_figures"),
    path("api/posts", views.api_posts, name="api_posts"),
    path("api/posts/<int:number>", views.api_post, name="api_post"),
]

handler400 = partial(views.error_page, status=400)
handler403 = partial(views.error_page, status=403)
handler404 = partial(views.error_page, status=404)
handler500 = partial(views.error_page, status=500)
