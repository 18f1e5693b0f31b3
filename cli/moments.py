"""Times on the command line: as people type them, and as they are shown."""

from datetime import UTC, datetime
from typing import Any

import click

from policy.durations import parse_duration


class MomentType(click.ParamType[datetime]):
    """A moment: a date, a date and time (UTC unless it says otherwise), or how long ago, such as 90m, 24h or 7d."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment that `value` names."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            return _moment_of(text)
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no time: write 2026-03-02, 2026-03-02T09:15 (UTC), or how long ago: 90m, 24h, 7d")


MOMENT = MomentType()


def _moment_of(text: str) -> datetime:
    """Return the moment. Raises `ValueError`, or `OverflowError` where no calendar has it."""
    try:
        span = parse_duration(text)
    except ValueError:
        return parse(text)
    return datetime.now(UTC) - span


def parse(text: str) -> datetime:
    """Return a date, or a date and time (UTC unless it says otherwise), in UTC. Raises as `_moment_of` does."""
    moment = datetime.fromisoformat(text)
    # What lies beyond the years that there are would be stored, and could never be read again.
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


_AHEAD = "a time to come, 2030-03-02 or 2030-03-02T09:15 (UTC), or how long from now: 90m, 24h, 7d"


class AheadType(click.ParamType[datetime]):
    """A moment to come: a date, a date and time (UTC unless it says otherwise), or how long from now."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment that `value` names. One that is over is a mistake."""
        if isinstance(value, datetime):
            return value
        now = datetime.now(UTC)
        try:
            moment = now + parse_duration(str(value).strip())
        except ValueError:
            try:
                moment = MOMENT.convert(value, param, ctx)
            except click.BadParameter:
                self.fail(f"{value!r} is no time: write {_AHEAD}", param, ctx)
        if moment <= now:
            self.fail(f"{value!r} is past already: write {_AHEAD}", param, ctx)
        return moment


AHEAD = AheadType()


def shown(moment: datetime | None) -> str:
    """Return a moment as tables show it: to the second, in UTC."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def iso(moment: datetime | None) -> str | None:
    """Return a moment as JSON shows it."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")
