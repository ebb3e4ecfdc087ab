"""A stand-in for Zammad 5.5: stateful, with its HTTP API and its signed, late, repeated webhooks.

Held against recordings of a real Zammad in tests/sandbox. Not spoken: tags, time accounting, bulk
changes other than macros, ETags, the form's own endpoint, mentions, the deletion of an article, and
the built-in attributes of the object manager; of SLAs, all but the first response. Core workflows
and overviews are kept and have no effect.
"""

from bridge.sandbox.deliveries import Attempt, RawRequest
from bridge.sandbox.faults import Call, Fault
from bridge.sandbox.zammad.browser import Form
from bridge.sandbox.zammad.model import (
    ADMIN,
    AGENT,
    BRIDGE,
    Token,
    Zammad,
)
from bridge.sandbox.zammad.notifications import AgentMail
from bridge.sandbox.zammad.records import ApiError
from bridge.sandbox.zammad.server import ZammadSandbox
from bridge.sandbox.zammad.webhooks import Delivery, WebhookSender

__all__ = [
    "ADMIN",
    "AGENT",
    "BRIDGE",
    "AgentMail",
    "ApiError",
    "Attempt",
    "Call",
    "Delivery",
    "Fault",
    "Form",
    "RawRequest",
    "Token",
    "WebhookSender",
    "Zammad",
    "ZammadSandbox",
]
