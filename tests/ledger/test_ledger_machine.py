"""The ledger against a small model of the rules, in every order that Hypothesis thinks of."""

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bridge.database.engine import Database
from tests.ledger.conftest import DAY, HOUR, Book

LATE = timedelta(hours=72)


@dataclass
class ModelLot:
    owner: str
    bought: date
    usable: datetime
    expires: datetime
    left: int


@dataclass
class Model:
    """The rules in plain Python. A lot's place in the list is its id; the zone is UTC."""

    lots: list[ModelLot] = field(default_factory=list)
    charges: dict[int, list[tuple[ModelLot, int]]] = field(default_factory=dict)
    credited: set[int] = field(default_factory=set)

    def buy(self, lot: ModelLot) -> None:
        self.lots.append(lot)

    def on_hand(self, owner: str, at: datetime) -> int:
        return sum(lot.left for lot in self._usable(owner, at))

    def balance(self, owner: str) -> int:
        return sum(lot.left for lot in self.lots if lot.owner == owner)

    def charge(self, owner: str, incident: int, points: int, at: datetime) -> bool:
        if incident in self.charges:
            return True
        if self.on_hand(owner, at) < points:
            return False
        taken = self.charges[incident] = []
        for lot in sorted(self._usable(owner, at), key=lambda lot: (lot.expires, lot.bought)):
            part = min(points, lot.left)
            if part:
                lot.left -= part
                points -= part
                taken.append((lot, part))
        return True

    def credit(self, incident: int, now: datetime) -> int:
        taken = self.charges.get(incident, [])
        if taken and incident not in self.credited:
            self.credited.add(incident)
            for lot, part in taken:
                self._give_back(lot, part, now)
        return sum(part for _, part in taken)

    def expire(self, now: datetime) -> int:
        due = [lot for lot in self.lots if lot.left and lot.expires + LATE <= now]
        for lot in due:
            lot.left = 0
        return len(due)

    def _usable(self, owner: str, at: datetime) -> list[ModelLot]:
        return [lot for lot in self.lots if lot.owner == owner and lot.usable <= at < lot.expires]

    def _give_back(self, lot: ModelLot, part: int, now: datetime) -> None:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        least = midnight + 91 * DAY
        if lot.expires >= least:
            lot.left += part
        else:
            self.lots.append(ModelLot(lot.owner, lot.bought, now, least, part))


OWNERS = st.sampled_from(["acme", "other"])
EMPTY: list[Path] = []


class LedgerMachine(RuleBasedStateMachine):
    """Purchases, charges, credits and expiries, early, late and repeated, as time goes by."""

    @initialize()
    def start(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        path = Path(shutil.copy(EMPTY[0], Path(self.directory.name) / "points.db"))
        self.book = Book(Database.open(f"sqlite:///{path}"), path)
        self.model = Model()
        self.ids = {owner: self.book.account(owner) for owner in ("acme", "other")}
        self.incidents: dict[int, str] = {}

    def teardown(self) -> None:
        self.book.db.close()
        self.directory.cleanup()

    @rule(
        owner=OWNERS,
        points=st.integers(1, 25),
        delay=st.sampled_from([0, 0, 0, 24, 24 * 30]),
        life=st.sampled_from([1, 24, 24 * 80, 24 * 365]),
    )
    def buy(self, owner: str, points: int, delay: int, life: int) -> None:
        usable = self.book.now + delay * HOUR
        expires = usable + life * HOUR
        self.book.buy(self.ids[owner], points, usable_from=usable, expires_at=expires)
        self.model.buy(ModelLot(owner, self.book.now.date(), usable, expires, points))

    @rule(
        owner=OWNERS,
        points=st.sampled_from([10, 10, 1, 30]),
        late=st.sampled_from([0 * HOUR, 0 * HOUR, HOUR, 25 * HOUR, LATE]),
    )
    def charge(self, owner: str, points: int, late: timedelta) -> None:
        incident = self.book.incident(self.ids[owner])
        self.incidents[incident] = owner
        at = self.book.now - late
        charged = self.book.charge(incident, self.ids[owner], points=points, valid_at=at)
        assert (charged is not None) == self.model.charge(owner, incident, points, at)

    @precondition(lambda self: self.incidents)
    @rule(data=st.data(), points=st.sampled_from([10, 20]))
    def charge_again(self, data: st.DataObject, points: int) -> None:
        incident = data.draw(st.sampled_from(sorted(self.incidents)))
        owner = self.incidents[incident]
        charged = self.book.charge(incident, self.ids[owner], points=points)
        assert (charged is not None) == self.model.charge(owner, incident, points, self.book.now)

    @precondition(lambda self: self.incidents)
    @rule(data=st.data())
    def credit(self, data: st.DataObject) -> None:
        incident = data.draw(st.sampled_from(sorted(self.incidents)))
        assert self.book.credit(incident) == self.model.credit(incident, self.book.now)

    @rule()
    def expire(self) -> None:
        assert self.book.expire() == self.model.expire(self.book.now)

    @rule(hours=st.sampled_from([1, 5, 24, 72, 24 * 40, 24 * 200]))
    def wait(self, hours: int) -> None:
        self.book.now += hours * HOUR

    @invariant()
    def the_ledger_is_sound(self) -> None:
        assert self.book.audit() == []

    @invariant()
    def the_ledger_agrees_with_the_model(self) -> None:
        for owner, account in self.ids.items():
            for at in (self.book.now, self.book.now - LATE):
                assert self.book.on_hand(account, at) == self.model.on_hand(owner, at)
            assert self.book.balance(account) == self.model.balance(owner) >= 0
            lots = sorted(lot.left for lot in self.model.lots if lot.owner == owner and lot.left)
            assert sorted(self.book.remaining(account).values()) == lots


def test_the_ledger_does_what_the_rules_say(migrated: Path) -> None:
    EMPTY[:] = [migrated]
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(max_examples=30, stateful_step_count=25, deadline=None),
    )
