"""What an adapter makes of webhooks: who sent them, and what they are about."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from bridge.errors import PayloadNotUnderstood, WebhookRejected
from tests.adapters.contract.cases import SECRET
from tests.adapters.contract.hooks import Hooks, V

POISON: Mapping[str, bytes] = {
    "empty": b"",
    "cut off": b'{"ticket":{"id":5',
    "too deep": b"[" * 100_000,
    "deep objects": b'{"ticket":' * 100_000,
    "a number of 5000 digits": b'{"ticket":{"id":' + b"1" * 5_000 + b"}}",
    "not a number": b'{"ticket":{"id":NaN}}',
    "infinite": b'{"ticket":{"id":Infinity}}',
    "not UTF-8": b'{"ticket":{"id":5,"title":"\xff"}}',
    "UTF-16": '{"ticket":{"id":5}}'.encode("utf-16"),
    "NUL": b"\x00",
    "null": b"null",
    "a list": b"[]",
    "a number": b"5",
    "a string": b'"\\ud800"',
    "two documents": b"{}{}",
    "a form": b"payload=%7B%7D",
}


class WebhookContract(Hooks[V]):
    """Closed by default, and never surprised."""

    def test_what_the_helpdesk_signed_is_accepted(self) -> None:
        self.adapter(SECRET).verify(self.signed(self.about_a_ticket()[0]))

    @pytest.mark.parametrize("secrets", [("old", SECRET), (SECRET, "new")])
    def test_both_secrets_are_accepted_during_a_rotation(self, secrets: tuple[str, ...]) -> None:
        self.adapter(*secrets).verify(self.signed(self.about_a_ticket()[0]))

    @pytest.mark.parametrize(
        "forge",
        [
            lambda _given: None,
            lambda _given: "",
            lambda given: given[:5],
            lambda given: given[:-1],
            lambda given: given + "0",
            lambda given: given[::-1],
            lambda given: "sha512=" + given,
            lambda _given: "ü" * 45,
            lambda given: given + "\ud800",
        ],
        ids=[
            "none",
            "empty",
            "no digest",
            "truncated",
            "too long",
            "wrong",
            "other algorithm",
            "not ASCII",
            "lone surrogate",
        ],
    )
    def test_a_forged_signature_is_rejected(self, forge: Callable[[str], str | None]) -> None:
        good = self.signed(self.about_a_ticket()[0])
        headers = dict(good.headers)
        given = headers.pop(self.signature_header)
        if (forged := forge(given)) is not None:
            headers[self.signature_header] = forged
        with pytest.raises(WebhookRejected):
            self.adapter(SECRET).verify(replace(good, headers=headers))

    def test_the_signature_of_another_secret_is_rejected(self) -> None:
        with pytest.raises(WebhookRejected):
            self.adapter(SECRET).verify(self.signed(self.about_a_ticket()[0], "somebody else's"))

    @pytest.mark.parametrize("changed", [b" ", b"\n", b"{}"])
    def test_a_changed_body_is_rejected(self, changed: bytes) -> None:
        good = self.signed(self.about_a_ticket()[0])
        with pytest.raises(WebhookRejected):
            self.adapter(SECRET).verify(replace(good, body=good.body + changed))

    @pytest.mark.parametrize("secrets", [(), ("",), (" ",)])
    def test_without_a_secret_nothing_is_accepted(self, secrets: tuple[str, ...]) -> None:
        signed = self.signed(self.about_a_ticket()[0], secrets[0] if secrets else "")
        with pytest.raises(WebhookRejected):
            self.adapter(*secrets).verify(signed)

    def test_a_delivery_names_its_ticket_and_itself(self) -> None:
        body, expected = self.about_a_ticket()
        assert self.adapter(SECRET).parse(self.signed(body)) == expected

    def test_what_is_not_about_a_ticket_is_ignored(self) -> None:
        assert self.adapter(SECRET).parse(self.signed(self.about_something_else())) is None

    @pytest.mark.parametrize("body", POISON.values(), ids=POISON)
    def test_poison_is_not_understood_however_well_signed(self, body: bytes) -> None:
        delivery = self.signed(body)
        adapter = self.adapter(SECRET)
        adapter.verify(delivery)
        with pytest.raises(PayloadNotUnderstood):
            adapter.parse(delivery)
