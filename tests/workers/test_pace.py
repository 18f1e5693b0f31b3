"""The size of a transaction follows from how long the last ones took."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.pace import LEAST, MOST, PAUSE, Pace, Rest


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _after(seconds_for_each: float, times: int = 12) -> int:
    clock = _Clock()
    pace = Pace(timedelta(milliseconds=40), clock)
    for _ in range(times):
        size = pace.size
        with pace.measured(size):
            clock.now += size * seconds_for_each
    return pace.size


def test_a_fast_database_takes_the_largest_slices() -> None:
    assert _after(0.000_005) == MOST


def test_a_slow_database_takes_the_smallest() -> None:
    assert _after(0.01) == LEAST


def test_in_between_a_transaction_takes_about_what_it_should() -> None:
    assert 190 <= _after(0.000_2) <= 210


def test_a_handful_of_reports_says_nothing_about_large_slices() -> None:
    clock = _Clock()
    pace = Pace(timedelta(milliseconds=40), clock)
    before = pace.size

    with pace.measured(3):
        clock.now += 0.2

    assert pace.size == before


@given(st.lists(st.floats(0, 100), max_size=30))
def test_it_stays_in_its_bounds(durations: list[float]) -> None:
    clock = _Clock()
    pace = Pace(timedelta(milliseconds=40), clock)
    for duration in durations:
        with pace.measured(pace.size):
            clock.now += duration
        assert LEAST <= pace.size <= MOST


def _rested(reports: int, later: float, *, more: bool = False) -> float:
    """Return how long the drain rests that follows `later` seconds after one of so many reports."""
    clock = _Clock()
    slept = [0.0]
    rest = Rest(PAUSE, clock, slept.append)
    rest.after(reports, more=more)
    clock.now += later
    rest.taken()
    return slept[-1]


def test_a_trickle_of_callbacks_is_drained_at_most_ten_times_a_second() -> None:
    assert _rested(100, 0.05) == pytest.approx(PAUSE.total_seconds() - 0.05)


def test_a_callback_after_a_quiet_time_is_drained_at_once() -> None:
    assert _rested(100, 0.11) == 0
    assert _rested(0, 0.0) == 0


def test_a_backlog_is_drained_without_a_rest() -> None:
    assert _rested(MOST, 0.0) == 0
    assert _rested(1, 0.0, more=True) == 0


def test_whoever_begins_to_wait_for_the_database_waits_for_a_smaller_transaction_at_once() -> None:
    clock = _Clock()
    pace = Pace(timedelta(milliseconds=300), clock)
    for _ in range(12):
        size = pace.size
        with pace.measured(size):
            clock.now += size * 0.000_3
    before = pace.size

    pace.aim(timedelta(milliseconds=100))

    assert before // 3 - 1 <= pace.size <= before // 3 + 1
