"""What an admin does with the queues; what is replayed is taken up at once."""

import pytest

from bridge.bootstrap import Inbound
from bridge.errors import BadRequest, HelpdeskRefused
from bridge.service import queues
from tests.service.conftest import House
from tests.service.memory import delivery_of


@pytest.fixture
def dead(house: House) -> House:
    """A delivery that was refused."""
    house.open()
    house.desk.failing["fetch"] = HelpdeskRefused("no rights")
    house.settle()
    house.desk.failing.clear()
    return house


def test_dead_letters_are_listed(dead: House) -> None:
    (row,) = queues.listed(dead.bridge, "dead")
    assert (row.queue, row.outcome) == ("inbox", "no rights")
    assert queues.listed(dead.bridge) == [row]
    assert queues.listed(dead.bridge, "queued") == []


def test_one_is_shown(dead: House) -> None:
    row, carried = queues.details(dead.bridge, "inbox", 1)
    assert (row.id, carried["body_bytes"]) == (
        1,
        len(delivery_of("5", "delivery-1", dead.now).body),
    )


def test_one_is_replayed_at_once(dead: House) -> None:
    dead.later(hours=1)
    round_before = dead.bridge.wake.round()
    queues.replay(dead.bridge, "inbox", 1)
    assert dead.bridge.wake.round() == round_before + 1
    assert queues.listed(dead.bridge)[0].next_at == dead.now
    assert dead.settle() == "held"


def test_all_are_replayed_at_once(dead: House) -> None:
    dead.later(hours=1)
    round_before = dead.bridge.wake.round()
    assert queues.replay_all(dead.bridge) == 1
    assert dead.bridge.wake.round() == round_before + 1
    assert queues.listed(dead.bridge)[0].next_at == dead.now


def test_one_is_discarded_with_its_reason(dead: House) -> None:
    dead.later(hours=1)
    queues.discard(dead.bridge, "inbox", 1, "a test")
    assert dead.raw("inbox").finished_at == dead.now
    (row,) = queues.listed(dead.bridge)
    assert (row.state, row.outcome) == ("discarded", "discarded: a test (was: no rights)")
    with pytest.raises(BadRequest):
        queues.replay(dead.bridge, "inbox", 1)


class TestReadiness:
    """A token that somebody deleted: no webhook is worked on any more."""

    @pytest.fixture(params=[401, 403])
    def refused(self, house: House, request: pytest.FixtureRequest) -> House:
        house.open()
        no = HelpdeskRefused("GET /tickets/5 at desk: no", status=request.param)
        house.desk.failing["fetch"] = no
        house.settle()
        house.desk.failing.clear()
        house.later(minutes=1)
        return house

    @staticmethod
    def problems(house: House) -> list[str]:
        """As another process tells, which has done nothing itself."""
        return Inbound(house.bridge).problems()

    def test_ends_with_credentials_that_a_helpdesk_refuses(self, refused: House) -> None:
        calls = len(refused.desk.calls)
        (problem,) = self.problems(refused)
        assert problem.startswith("support: the helpdesk takes the bridge's credentials for wrong")
        assert "(answer 40" in problem
        assert refused.rows("inbox")[-1].outcome == "GET /tickets/5 at desk: no"
        assert len(refused.desk.calls) == calls

    def test_comes_back_with_a_call_that_works(self, refused: House) -> None:
        refused.open("6")
        refused.settle()
        assert self.problems(refused) == []

    def test_comes_back_with_the_replay_of_what_was_refused(self, refused: House) -> None:
        queues.replay_all(refused.bridge)
        assert self.problems(refused) == []
        assert refused.settle() == "held"
        assert self.problems(refused) == []

    def test_comes_back_where_nothing_more_is_heard(self, refused: House) -> None:
        """Who is not ready may be sent no webhook, and so never learns."""
        refused.later(minutes=15)
        assert self.problems(refused) == []

    def test_is_no_matter_of_other_helpdesks_and_other_answers(self, house: House) -> None:
        house.open()
        house.desk.failing["fetch"] = HelpdeskRefused("odd", status=422)
        house.settle()
        assert self.problems(house) == []
