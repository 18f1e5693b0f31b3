"""Who acts: every change by hand names somebody, also from the command line."""

import os
import pwd
from collections.abc import Callable
from typing import Any, TypeVar

import click

from config.mask import mask_text

F = TypeVar("F", bound=Callable[..., Any])


def login() -> str:
    """Return the name of the user that this process runs as. Not what the environment says: anybody may set that."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def who_option(command: F) -> F:
    """Give a command `--who`."""
    return click.option(
        "--who", default=login, metavar="NAME", show_default="your login name", callback=_named, help="Who does it."
    )(command)


def _named(ctx: click.Context, param: click.Parameter, value: str) -> str:
    name = " ".join(mask_text(value).split())
    if not name or len(name) > 64:
        raise click.BadParameter("write a name of 1 to 64 characters")
    return name
