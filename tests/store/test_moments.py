"""Times are kept as whole milliseconds, and never lie in the future for that."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from store.moments import EPOCH, from_ms, to_ms

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(st.integers(0, 4_102_444_800_000))
def test_whole_milliseconds_come_back_as_they_were(value: int) -> None:
    assert to_ms(from_ms(value)) == value


@given(MOMENTS)
def test_a_moment_is_cut_to_its_millisecond(moment: datetime) -> None:
    assert to_ms(moment) == (moment - EPOCH) // timedelta(milliseconds=1)
