"""The receiver: Flask, and only Flask."""

from webhooks.receiver import create_app

__all__ = ["create_app"]
