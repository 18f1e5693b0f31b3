"""The size of a transaction follows from how long the last ones took."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from workers.pace import LEAST, MOST, Pace


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
    assert _after(0.000_01) == MOST


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
