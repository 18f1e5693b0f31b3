"""`dlr retries`: resends, what each waits for, and how to steer them."""

import click

from cli.retries.incident import from_incident
from cli.retries.listing import list_retries
from cli.retries.pausing import list_pauses, pause, resume
from cli.retries.showing import show
from cli.retries.steering import cancel, run

__all__ = ["retries"]
_LIST = "list"
_HELP = ("-h", "--help")


class _ListsByDefault(click.Group):
    """Without a command it lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in front where none is named."""
        if not args or (args[0].startswith("-") and args[0] not in _HELP):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListsByDefault)
def retries() -> None:
    """Resends: what each waits for, and how to stop, start and pause them. Without a command: list."""


for command in (list_retries, show, cancel, run, pause, resume, list_pauses, from_incident):
    retries.add_command(command)
