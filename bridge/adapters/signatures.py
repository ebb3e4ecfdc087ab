"""HMAC, for every vendor that signs its webhooks."""

import base64
import hmac
from collections.abc import Iterable
from typing import Literal

from bridge.errors import WebhookRejected


def verify_hmac(
    message: bytes,
    given: str | None,
    secrets: Iterable[str],
    *,
    digest: Literal["sha1", "sha256"],
    encoding: Literal["hex", "base64"],
    prefix: str = "",
) -> None:
    """Prove that one of `secrets` signed `message`, in a time that does not tell which.

    Several secrets are accepted, so that a secret can be rotated without losing a delivery. A blank
    secret counts as none: anybody can sign with it.

    Args:
        message: the bytes that the vendor signs, as they arrived.
        given: the signature header, None where the request had none.
        secrets: the secrets that are valid now.
        digest: the hash that the vendor uses.
        encoding: how the vendor writes the digest.
        prefix: what the vendor puts before the digest, such as `sha1=`.

    Raises:
        WebhookRejected: the signature is missing or wrong, or no secret is configured.
    """
    keys = [secret.encode() for secret in secrets if secret.strip()]
    if not keys:
        raise WebhookRejected("no webhook secret is configured, so nothing can be accepted")
    if not given:
        raise WebhookRejected("the delivery is not signed: set the secret in the helpdesk too")
    try:
        # compare_digest() takes a str only if it is ASCII: on bytes it cannot be made to fail.
        signature = given.encode("ascii")
    except UnicodeEncodeError:
        raise WebhookRejected("the signature is not ASCII") from None
    matches = [
        hmac.compare_digest(prefix.encode() + _signature(key, message, digest, encoding), signature)
        for key in keys
    ]
    if not any(matches):
        raise WebhookRejected("the signature fits no configured webhook secret")


def sign_hmac(
    message: bytes,
    secret: str,
    *,
    digest: Literal["sha1", "sha256"],
    encoding: Literal["hex", "base64"],
    prefix: str = "",
) -> str:
    """The signature that `verify_hmac` accepts: for a delivery that we send to ourselves."""
    return prefix + _signature(secret.encode(), message, digest, encoding).decode()


def _signature(key: bytes, message: bytes, digest: str, encoding: str) -> bytes:
    raw = hmac.digest(key, message, digest)
    return raw.hex().encode() if encoding == "hex" else base64.b64encode(raw)
