"""Whether everything is as it must be: what was gathered is judged; each problem has a remedy.

`problems_of` and `reach_problems` judge, purely. Nothing here changes anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from bridge.adapters.provisioning import Problem, Provisioner, Severity, Wanted
from bridge.adapters.vendor import is_loopback
from bridge.queues import rows
from bridge.settings import Settings
from bridge.settings.secrets import Exposed
from bridge.setup.facts import Facts, LedgerFacts, Reach, gather, look
from bridge.setup.going_live import service_problems

#: Two connections that write or checkpoint at the same moment can, rarely, corrupt a database
#: before this version (https://www.sqlite.org/wal.html#walresetbug).
_WAL_RESET_MENDED = (3, 51, 3)
_SLOW, _STUCK = timedelta(minutes=10), timedelta(hours=1)
_YEARS_WITHOUT_ZONES = 2


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, worst first, and the facts of our side."""

    problems: tuple[Problem, ...]
    facts: Facts

    @property
    def sound(self) -> bool:
        """Whether nothing must be mended; warnings and notes do not count."""
        return all(problem.severity is not Severity.PROBLEM for problem in self.problems)


def examine(
    settings: Settings,
    helpdesks: Mapping[str, tuple[Provisioner | None, Wanted]],
    now: Callable[[], datetime],
) -> Diagnosis:
    """Look at everything. Reads only; raises nothing in our error tree.

    Args:
        settings: those of the deployment.
        helpdesks: what sets each of them up, None where that is done by hand, and its wanted state.
        now: the present (aware, UTC).
    """
    facts = gather(settings, now())
    found = problems_of(facts)
    if settings.listen.public_url is None:
        found += reach_problems(Reach(None), "")
    for name, (provisioner, wanted) in helpdesks.items():
        if provisioner is None:
            remedy = "compare it with its page in docs"
            what = "is set up by hand and cannot be looked at"
            found.append(Problem(Severity.NOTE, name, what, remedy))
            continue
        probe = provisioner.probe()
        if probe is None:
            what, remedy = "there is no webhook secret yet", f"run `points-bridge setup {name}`"
            found.append(Problem(Severity.PROBLEM, f"{name}: signature", what, remedy))
        if settings.listen.public_url:
            reach = look(settings.listen.public_url, name, probe)
            found += reach_problems(reach, name)
        promises = facts.ledger.promises.get(name, ()) if facts.ledger else ()
        found += [
            replace(problem, where=f"{name}: {problem.where}")
            for problem in provisioner.check(replace(wanted, promises=promises), now)
        ]
        found += service_problems(settings, name, provisioner)
    order = list(Severity)
    once = dict.fromkeys(found)  # helpdesks share a receiver, and its problems
    return Diagnosis(tuple(sorted(once, key=lambda one: order.index(one.severity))), facts)


def problems_of(facts: Facts) -> list[Problem]:
    """What is wrong on our side."""
    found = _data_problems(facts) + list(map(_exposure, facts.exposed))
    if facts.sqlite < _WAL_RESET_MENDED:
        version = ".".join(map(str, facts.sqlite))
        what = (
            f"SQLite {version} can, rarely, corrupt a database that two connections write or"
            " checkpoint at the same moment; the bridge never lets two do so"
        )
        remedy = "let nothing else write to the database file; SQLite 3.51.3 has it mended"
        found.append(Problem(Severity.NOTE, "database", what, remedy))
    if facts.ledger is None:
        remedy = "check `database` in the settings, and the file's owner and disk, or its backup"
        return [*found, Problem(Severity.PROBLEM, "database", facts.unread, remedy)]
    return found + _ledger_problems(facts.ledger, facts.now)


def reach_problems(reach: Reach, name: str) -> list[Problem]:
    """What is wrong with the way from a helpdesk to the receiver."""
    if reach.url is None:
        what = "it is not known how helpdesks reach the receiver, so that was not tried"
        return [Problem(Severity.WARNING, "receiver", what, "set public_url in [listen]")]
    found = []
    parts = urlsplit(reach.url)
    if parts.scheme == "http" and not is_loopback(str(parts.hostname)):
        what = f"deliveries to {reach.url} travel unencrypted, with what customers write"
        remedy = "put a proxy with a certificate in front and write https:// in public_url"
        found.append(Problem(Severity.WARNING, "receiver", what, remedy))
    if reach.unready:
        remedy = (
            "is `points-bridge serve` running, and does the proxy hand on /health/ready and"
            " /webhooks/?"
        )
        found.append(Problem(Severity.PROBLEM, "receiver", reach.unready, remedy))
    if reach.refused:
        where = f"{name}: signature"
        found.append(Problem(Severity.PROBLEM, where, reach.refused, _mend(reach.status, name)))
    return found


def _mend(status: int | None, name: str) -> str:
    if status == 401:
        return "start the receiver anew with the webhook secret that this command has"
    if status == 404:
        return f"start the receiver anew with the settings that name {name}; check public_url"
    return "check public_url and the proxy in front of the receiver"


def _exposure(file: Exposed) -> Problem:
    """Of a group it need not be wrong: a service may read its secrets through one."""
    mode = f"chmod 600 {file.path}, and let who runs the bridge own it"
    if file.group is not None:
        what = f"the group {file.group} can read the secret in {file.path}"
        remedy = f"look who is in that group; or {mode}"
        return Problem(Severity.NOTE, "secrets", what, remedy)
    what = f"everybody on this machine, or in this container, can read the secret in {file.path}"
    remedy = (
        f"{mode}; Docker and Kubernetes mount secrets like this unless they are told a mode"
        " (0400), which is harmless where nobody else runs anything in the container"
    )
    return Problem(Severity.WARNING, "secrets", what, remedy)


def _data_problems(facts: Facts) -> list[Problem]:
    found = []
    versions = facts.versions
    if facts.now.year - int(versions.tzdata[:4]) >= _YEARS_WITHOUT_ZONES:
        what = f"the time zones are those of {versions.tzdata}; several change every year"
        found.append(Problem(Severity.WARNING, "time zones", what, "install a newer tzdata"))
    if not facts.holidays_known:
        what = f"holidays {versions.holidays} does not know all of {facts.country} until next year"
        remedy = "install a newer holidays; until then due times there count holidays as work days"
        found.append(Problem(Severity.WARNING, "holidays", what, remedy))
    return found


def _ledger_problems(ledger: LedgerFacts, now: datetime) -> list[Problem]:
    if ledger.revision != ledger.head:
        what = (
            f"its schema is {ledger.revision or 'not there yet'}; this version needs {ledger.head}"
        )
        remedy = "start `points-bridge serve`, which brings it up to date; back it up before"
        return [Problem(Severity.PROBLEM, "database", what, remedy)]
    restore = "stop the server, keep a copy of the file, and restore the last sound backup"
    found = [Problem(Severity.PROBLEM, "ledger", wrong, restore) for wrong in ledger.audit]
    found += _dead_problems(ledger)
    return [*found, *_delay_problems(ledger, now), *_display_problems(ledger)]


def _dead_problems(ledger: LedgerFacts) -> list[Problem]:
    """What waits for somebody, and which of it can be tried again."""
    dead = {queue: states.get(rows.DEAD, 0) for queue, states in ledger.backlog.items()}
    dead["inbox"] = dead.get("inbox", 0) - ledger.unreadable
    found = []
    if any(dead.values()):
        counts = ", ".join(f"{count} in the {queue}" for queue, count in dead.items() if count)
        what = f"dead letters wait for somebody: {counts}"
        remedy = "`points-bridge queues list --state dead` says why; mend that, then replay"
        found.append(Problem(Severity.PROBLEM, "queues", what, remedy))
    if ledger.unreadable:
        what = f"dead letters that name no ticket, so nobody can read them: {ledger.unreadable}"
        remedy = (
            "`points-bridge queues list --state dead` numbers them, `queues show inbox NUMBER` says"
            " who sent one; mend that there, then `queues discard inbox NUMBER --reason ...`"
        )
        found.append(Problem(Severity.PROBLEM, "queues", what, remedy))
    return found


def _delay_problems(ledger: LedgerFacts, now: datetime) -> list[Problem]:
    age = now - ledger.oldest if ledger.oldest else timedelta()
    if age < _SLOW:
        return []
    severity = Severity.PROBLEM if age >= _STUCK else Severity.WARNING
    what = f"the oldest work has been queued for {round(age / timedelta(minutes=1))} minutes"
    remedy = (
        "is `points-bridge serve` or `points-bridge work` running? `points-bridge queues list`"
        " says what failed"
    )
    return [Problem(severity, "queues", what, remedy)]


def _display_problems(ledger: LedgerFacts) -> list[Problem]:
    remedy = "mend that; or let the helpdesk's show_balance be false, and tickets alone show points"
    return [
        Problem(
            Severity.WARNING,
            f"{name}: organisations",
            f"{len(reasons)} of them do not show their points, one since: {reasons[0]}",
            remedy,
        )
        for name, reasons in ledger.unshown.items()
    ]
