"""What Zammad has noted of its webhooks: the attempts that our receiver did not take.

It makes up to five attempts at a delivery, under one id, and keeps a log of all of them. The log
holds whole bodies, of which nothing is kept here.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import groupby

from pydantic import AwareDatetime, BaseModel, Field

from bridge.adapters.provisioning import Problem, Severity, delivery_remedy, lately
from bridge.adapters.resources import permission_lacking
from bridge.adapters.zammad.setup.admin import ZammadAdmin
from bridge.adapters.zammad.ticket import checked
from bridge.errors import HelpdeskRefused

_MOST = "200"
_ID = re.compile(r"^x-zammad-delivery: *(\S{1,80})$", re.IGNORECASE | re.MULTILINE)


class _Attempt(BaseModel):
    id: int
    url: str
    status: int | str | None = None
    created_at: AwareDatetime
    request: Mapping[str, object] = Field(default={}, repr=False)

    @property
    def answer(self) -> int | None:
        """The receiver's status; None where it gave none, which Zammad notes as 0."""
        text = str(self.status or "")
        return int(text) if re.fullmatch("[1-9][0-9]{2}", text) else None

    @property
    def arrived(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= (self.answer or 0) < 300

    @property
    def delivery(self) -> str:
        """The delivery's id, the same for each of its attempts."""
        found = _ID.search(str(self.request.get("content", "")).partition("\n\n")[0])
        return found[1] if found else f"attempt {self.id}"


def delivery_problems(
    name: str, admin: ZammadAdmin, endpoints: Collection[object], now: datetime
) -> list[Problem]:
    """The deliveries to one of `endpoints` that failed in the last day. One call.

    Where there was none in a day, the latest attempt counts. Nothing where the token may not look:
    that is told elsewhere.

    Args:
        name: the helpdesk's name in the settings.
        admin: calls that may administer something.
        endpoints: where our webhook leads to, and is to lead.
        now: the present (aware, UTC).

    Raises:
        HelpdeskRefused: an answer makes no sense.
        HelpdeskUnavailable: try again later.
    """
    try:
        rows = checked(tuple[_Attempt, ...], admin.get("http_logs/webhook", limit=_MOST))
    except HelpdeskRefused as error:
        if permission_lacking(error):
            return []
        raise
    ours = sorted((one for one in rows if one.url in endpoints), key=lambda one: one.id)
    attempts = lately(ours, lambda one: one.created_at, now)
    failed = [one for one in attempts if not one.arrived]
    return [_problem(name, attempts, failed)] if failed else []


def _problem(name: str, attempts: list[_Attempt], failed: list[_Attempt]) -> Problem:
    deliveries = _by_delivery(attempts)
    lost = sum(not any(one.arrived for one in each) for each in deliveries)
    last = failed[-1]
    seen = f"was answered {last.answer}" if last.answer else "got no answer"
    what = (
        f"of {len(deliveries)} deliveries to {last.url} since"
        f" {attempts[0].created_at:%Y-%m-%d %H:%M}Z {len(_by_delivery(failed))} failed, and {lost}"
        f" of those did not arrive later either; the latest attempt that failed, at"
        f" {last.created_at:%Y-%m-%d %H:%M}Z, {seen}"
    )
    severity = Severity.WARNING if lost else Severity.NOTE
    return Problem(severity, "deliveries", what, delivery_remedy(name, last.answer))


def _by_delivery(attempts: Iterable[_Attempt]) -> list[list[_Attempt]]:
    ordered = sorted(attempts, key=lambda one: one.delivery)
    return [list(each) for _, each in groupby(ordered, key=lambda one: one.delivery)]
