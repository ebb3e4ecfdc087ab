"""How long to wait before the next attempt."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.retries import GIVE_UP_AFTER, LONGEST_RETRY_AFTER, WAITS, wait_before_retry

FRESH = timedelta(seconds=1)


def test_waits_grow_from_attempt_to_attempt_and_then_stay() -> None:
    waits = [wait_before_retry(n, FRESH, None, 0.5) for n in range(1, len(WAITS) + 3)]
    assert waits == [*WAITS, WAITS[-1], WAITS[-1]]


@given(st.integers(1, 20), st.floats(0, 1, exclude_max=True))
def test_jitter_spreads_a_wait_by_a_fifth_both_ways(attempt: int, jitter: float) -> None:
    wait = wait_before_retry(attempt, FRESH, None, jitter)
    base = WAITS[min(attempt, len(WAITS)) - 1]
    assert wait is not None
    assert base * 0.8 <= wait <= base * 1.2


def test_a_longer_retry_after_is_honoured() -> None:
    assert wait_before_retry(1, FRESH, 90, 0.5) == timedelta(seconds=90)


def test_a_shorter_retry_after_does_not_make_us_hurry() -> None:
    assert wait_before_retry(3, FRESH, 1, 0.5) == WAITS[2]


def test_an_absurd_retry_after_is_capped() -> None:
    assert wait_before_retry(1, FRESH, 10**9, 0.5) == LONGEST_RETRY_AFTER


def test_what_failed_for_days_is_given_up() -> None:
    assert wait_before_retry(40, GIVE_UP_AFTER, None, 0.5) is None
