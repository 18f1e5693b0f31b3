"""What all listings share: their options, and how they print."""

from collections.abc import Callable
from typing import Any

import click

from cli.output import print_json, print_nothing, print_table
from cli.shown import address, plain
from cli.stored import Stored
from store import people
from store.views import Found

LIMIT = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
ALL = click.option("--all", "everything", is_flag=True, help="Also what is over.")
RECIPIENT = click.option("--recipient", default="", metavar="ADDRESS", help="Only this number or e-mail address.")
CHANNEL = click.option("--channel", default="", help="Only this channel's.")


def hashes(at: Stored, connection: Any, recipient: str) -> tuple[bytes, ...] | None:
    """Return the hashes of an address in every account; nothing where none is given."""
    return tuple(at.hashes(connection, recipient).values()) if recipient else None


def with_addresses(connection: Any, rows: list[Found], column: str, reveal: Stored | None = None) -> None:
    """Put addresses in the place of their hashes: masked, or in clear with `reveal`."""
    known = people.known(connection, (row[column] for row in rows))
    for row in rows:
        row[column] = address(known, row[column], reveal)
        row.pop("message_key", None)


def print_found(
    form: str, found: list[Found], headers: tuple[str, ...], cells: Callable[[Found], tuple[Any, ...]], nothing: str
) -> None:
    """Print rows in the form that was asked for, or `nothing` where there are none."""
    if form == "json":
        print_json(plain(found))
    elif found:
        print_table(headers, [cells(row) for row in found])
    else:
        print_nothing(nothing)
