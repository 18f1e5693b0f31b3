"""A moment that lies ahead, as people type it."""

from datetime import UTC, datetime
from typing import Any

import click

from cli.moments import MomentType
from policy.durations import parse_duration


class UntilType(MomentType):
    """A date, a date and time (UTC unless it says otherwise), or how long from now, such as 12h or 30d."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment that `value` names; it has to lie ahead."""
        if isinstance(value, datetime):
            return value
        now = datetime.now(UTC)
        try:
            return now + parse_duration(str(value).strip())
        except ValueError:
            moment = super().convert(value, param, ctx)
        if moment <= now:
            self.fail(f"{value!r} is past")
        return moment


UNTIL = UntilType()
