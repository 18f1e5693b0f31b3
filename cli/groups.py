"""One rule for groups of commands: without a command, a group that has a `list` lists; any other prints its usage."""

from typing import Any, Final

import click

from codes.suggest import did_you_mean

_LIST: Final = "list"
_HELP: Final = ("-h", "--help")


class Naming(click.Group):
    """A group that names the nearest command where there is none of a name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant. Raises `click.UsageError`."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            near = did_you_mean(args[0], known)
            ctx.fail(f"No such command {args[0]!r}. {near}")
        return super().resolve_command(ctx, args)


class Listing(Naming):
    """A group that lists where no command is named: what people type first shows them what there is."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **{"epilog": "Without a command: list.", **more})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in front where none is named."""
        if not args or (args[0].startswith("-") and args[0] not in _HELP):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)
