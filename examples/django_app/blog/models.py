"""Members, their posts, and what others say about them."""

from communiconnect import TOPICS
from django.db import models
from django.utils import timezone


class Member(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    bio = models.TextField()
    tone = models.PositiveSmallIntegerField()
    joined = models.DateField()

    def __str__(self):
        return self.name

    @property
    def initials(self):
        return "".join(word[0] for word in self.name.split())


class PostQuerySet(models.QuerySet):
    def for_cards(self):
        """With author and number of comments, in one query, the newest first."""
        counted = self.select_related("author").annotate(comment_count=models.Count("comments"))
        return counted.order_by("-published")  # a query that counts ignores the model's own order

    def about(self, topic):
        return self.filter(topic=topic) if topic in TOPICS else self


class Post(models.Model):
    author = models.ForeignKey(Member, models.CASCADE, related_name="posts")
    topic = models.CharField(max_length=20, choices=list(TOPICS.items()), db_index=True)
    title = models.CharField(max_length=120)
    body = models.TextField()
    published = models.DateTimeField(db_index=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ("-published",)

    def __str__(self):
        return self.title

    @property
    def paragraphs(self):
        return self.body.split("\n\n")


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    name = models.CharField(max_length=40)
    text = models.TextField(max_length=600)
    written = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)

    def __str__(self):
        return f"{self.name} on {self.post}"
