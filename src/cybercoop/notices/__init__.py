"""Telling people: mail and webhooks, each as much as its way may carry."""

from cybercoop.notices.delivering import Post, post_of
from cybercoop.notices.rounds import part
from cybercoop.notices.telling import Notice, tell

__all__ = ["Notice", "Post", "part", "post_of", "tell"]
