"""The one HMAC check, against published vectors and against everything that is not a signature."""

import base64
import hashlib
import hmac
from functools import partial

import pytest

from bridge.adapters.signatures import verify_hmac
from bridge.errors import WebhookRejected

SECRET = "rotated-secret"
MESSAGE = '{"ticket":{"title":"Käse"}}'.encode()

hex_sha1 = partial(verify_hmac, digest="sha1", encoding="hex", prefix="sha1=")
base64_sha256 = partial(verify_hmac, digest="sha256", encoding="base64")


def sign(message: bytes, secret: str = SECRET) -> str:
    return "sha1=" + hmac.new(secret.encode(), message, hashlib.sha1).hexdigest()


def test_the_vector_of_rfc_2202_for_sha1_in_hex() -> None:
    text = b"what do ya want for nothing?"
    hex_sha1(text, "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", ["Jefe"])


def test_the_vector_of_rfc_4231_for_sha256_in_base64() -> None:
    digest = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    text = b"what do ya want for nothing?"
    base64_sha256(text, base64.b64encode(digest).decode(), ["Jefe"])


@pytest.mark.parametrize("secrets", [("old", SECRET), (SECRET, "new"), (SECRET,), ("", SECRET)])
def test_any_of_the_configured_secrets_is_accepted(secrets: tuple[str, ...]) -> None:
    hex_sha1(MESSAGE, sign(MESSAGE), secrets)


@pytest.mark.parametrize("secrets", [(), ("",), (" \n",)])
def test_without_a_secret_even_a_signature_with_the_empty_key_is_rejected(
    secrets: tuple[str, ...],
) -> None:
    given = sign(MESSAGE, secrets[0] if secrets else "")
    with pytest.raises(WebhookRejected, match="no webhook secret"):
        hex_sha1(MESSAGE, given, secrets)


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "sha1=",
        sign(MESSAGE)[:-1],
        sign(MESSAGE) + "0",
        sign(MESSAGE).removeprefix("sha1="),
        sign(MESSAGE).replace("sha1=", "sha256="),
        "sha256=" + hmac.new(SECRET.encode(), MESSAGE, hashlib.sha256).hexdigest(),
        "sha1=" + hashlib.sha1(MESSAGE, usedforsecurity=False).hexdigest(),
        sign(MESSAGE, "another secret"),
        sign(MESSAGE + b" "),
        "sha1=" + "ü" * 40,
        "sha1=\ud800",
        "sha1=\x00",
    ],
)
def test_what_is_not_the_signature_is_rejected(given: str | None) -> None:
    with pytest.raises(WebhookRejected):
        hex_sha1(MESSAGE, given, [SECRET])


def test_a_rejection_tells_neither_the_secret_nor_the_right_signature() -> None:
    with pytest.raises(WebhookRejected) as rejected:
        hex_sha1(MESSAGE, "sha1=" + "0" * 40, [SECRET])
    assert SECRET not in str(rejected.value)
    assert sign(MESSAGE).removeprefix("sha1=") not in str(rejected.value)
