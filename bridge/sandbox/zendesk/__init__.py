"""A stand-in for Zendesk: stateful, with its HTTP API and its signed, late, repeated webhooks.

Shapes are held against public recordings of a real account in tests/sandbox, rules against
Zendesk's documents, requests against the official description of its API; no real account was
asked. Not spoken: attachments, collaborators, forms, brands, groups, the administration of custom
statuses, SLAs and schedules, macros, automations of one's own, bulk changes, ETags, webhooks with
another method than POST or with credentials, the circuit breaker, changes of custom fields as
events, and the search's finer points.
"""

from bridge.sandbox.deliveries import Attempt, RawRequest, Reply
from bridge.sandbox.faults import Call, Fault
from bridge.sandbox.zendesk.flags import Flag
from bridge.sandbox.zendesk.model import ApiToken, Client, Zendesk
from bridge.sandbox.zendesk.records import ApiError
from bridge.sandbox.zendesk.server import ZendeskSandbox
from bridge.sandbox.zendesk.store import ADMIN, AGENT, BRIDGE
from bridge.sandbox.zendesk.webhooks import Delivery, WebhookSender, sign

__all__ = [
    "ADMIN",
    "AGENT",
    "BRIDGE",
    "ApiError",
    "ApiToken",
    "Attempt",
    "Call",
    "Client",
    "Delivery",
    "Fault",
    "Flag",
    "RawRequest",
    "Reply",
    "WebhookSender",
    "Zendesk",
    "ZendeskSandbox",
    "sign",
]
