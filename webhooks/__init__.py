"""The receiver: Flask, and only Flask."""

from webhooks.receiver import Inbound, create_app

__all__ = ["Inbound", "create_app"]
