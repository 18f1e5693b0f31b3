"""Times in the database: whole milliseconds since 1970 in UTC.

SQLite drops time zones and the two databases order texts differently; integers behave alike on both.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(moment: datetime) -> int:
    """Return an aware time as milliseconds since 1970."""
    # Three times as fast as dividing time spans. What the float lacks of a whole millisecond is less than the half
    # microsecond that is added, and the rest is cut off: something due now must not lie in the future.
    return int(moment.timestamp() * 1000 + 0.0005)


def from_ms(value: int) -> datetime:
    """Return milliseconds since 1970 as an aware time in UTC."""
    return EPOCH + timedelta(milliseconds=value)


class Moment(TypeDecorator[datetime]):
    """A column that holds an aware `datetime` as milliseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return value if value is None or isinstance(value, int) else to_ms(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_ms(value)
