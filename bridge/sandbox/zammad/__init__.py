"""A stand-in for Zammad 5.5: stateful, with its HTTP API and its signed, late, repeated webhooks.

Held against recordings of a real Zammad in tests/sandbox. Not spoken: tags, time accounting,
attachments, SLAs and calendars, macros and bulk changes, core workflows, ETags, the form's own
endpoint, changes of users, and the built-in attributes of the object manager.
"""

from bridge.sandbox.zammad.faults import Call, Fault
from bridge.sandbox.zammad.model import (
    ADMIN,
    AGENT,
    BRIDGE,
    Token,
    Zammad,
)
from bridge.sandbox.zammad.records import ApiError
from bridge.sandbox.zammad.server import TRIGGER_PREFIX, ZammadSandbox, trigger_conditions
from bridge.sandbox.zammad.webhooks import Attempt, Delivery, RawRequest, WebhookSender

__all__ = [
    "ADMIN",
    "AGENT",
    "BRIDGE",
    "TRIGGER_PREFIX",
    "ApiError",
    "Attempt",
    "Call",
    "Delivery",
    "Fault",
    "RawRequest",
    "Token",
    "WebhookSender",
    "Zammad",
    "ZammadSandbox",
    "trigger_conditions",
]
