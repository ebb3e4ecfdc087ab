"""The error tree. Declining is a value; failing is an exception.

    BridgeError
    ├── SettingsError              a setting is missing or wrong; names the setting and the remedy
    ├── BadRequest                 what was asked cannot be done; says what to do instead
    │   └── Unconfirmed            it may be a slip, and is done when somebody says so
    │       ├── UnknownAccount     no account is called so, and none was to be made
    │       └── RecordTaken        the customer record is another account's
    ├── UnknownHelpdesk            no helpdesk of that name is configured
    ├── WebhookRejected            forged, unsigned or stale: the sender is not who it must be
    ├── PayloadNotUnderstood       the sender is right, the body is not readable
    ├── Retryable                  the same call may succeed later
    │   ├── HelpdeskUnavailable    the helpdesk is down, slow, or asks to wait
    │   └── LedgerBusy             the database cannot take the write now
    └── HelpdeskRefused            the helpdesk says no, and would say no again: a dead letter
        └── TicketNotFound         the helpdesk does not know (or no longer shows) that ticket

Messages are written for the person who must act. They never hold a secret or a customer's text.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class BridgeError(Exception):
    """Anything that this system reports as its own failure."""


class SettingsError(BridgeError):
    """A setting is missing or wrong."""


class BadRequest(BridgeError):
    """What was asked cannot be done; the message says why and what to do instead."""


class Unconfirmed(BadRequest):
    """What was asked may be a slip: it is done when somebody says that it is meant."""


class UnknownAccount(Unconfirmed):
    """No account is called so; names those that look alike."""


class RecordTaken(Unconfirmed):
    """A customer record that is to be linked belongs to another account."""


class UnknownHelpdesk(BridgeError):
    """No helpdesk of that name is configured."""


class WebhookRejected(BridgeError):
    """The delivery does not prove that it comes from the configured helpdesk."""


class PayloadNotUnderstood(BridgeError):
    """An authentic delivery whose body cannot be read."""


class Retryable(BridgeError):
    """The same call may succeed later.

    `retry_after` is the wait in seconds that the other side asked for, or None where it named none.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class HelpdeskUnavailable(Retryable):
    """The helpdesk's API is down, slow, or asks to wait."""


class LedgerBusy(Retryable):
    """The database cannot take the write now; nothing was written."""


class HelpdeskRefused(BridgeError):
    """The helpdesk refuses the call and would refuse it again. `status` is its HTTP status."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TicketNotFound(HelpdeskRefused):
    """The helpdesk does not know, or no longer shows, that ticket."""


#: From here on two words look alike: "deutschland" is not taken for a slip of "netherlands".
_ALIKE = 0.7


def did_you_mean(text: str, choices: Iterable[str]) -> str:
    """The end of an error message: up to three choices that `text` is part of, or looks like."""
    known = {name: _folded(name) for name in sorted(choices)}
    wanted = _folded(text)
    close = [name for name, folded in known.items() if wanted and wanted in folded]
    if not close:
        alike = get_close_matches(wanted, set(known.values()), cutoff=_ALIKE)
        close = [name for one in alike for name, folded in known.items() if folded == one]
    return f"; did you mean {', '.join(close[:3])}?" if close else ""


def _folded(text: str) -> str:
    return " ".join(text.replace("_", " ").split()).casefold()
