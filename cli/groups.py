"""One rule for groups of commands: without a command, a group that has a `list` lists; any other prints its usage."""

from typing import Any, Final

import click

_LIST: Final = "list"
_HELP: Final = ("-h", "--help")


class Listing(click.Group):
    """A group that lists where no command is named: what people type first shows them what there is."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **{"epilog": "Without a command: list.", **more})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in front where none is named."""
        if not args or (args[0].startswith("-") and args[0] not in _HELP):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)
