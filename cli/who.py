"""Who gives a command: said with --who, else the user of this system."""

import getpass
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def who_option(command: F) -> F:
    """Give a command `--who NAME`."""
    return click.option(
        "--who", default="", callback=_someone, metavar="NAME", help="Who does it; your user name, if not given."
    )(command)


def _someone(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value:
        return value
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return "operator"
