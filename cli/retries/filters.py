"""Which resends: by name, or by what they have in common."""

import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import click
from sqlalchemy import Connection

from cli.known import account_or_fail, rule_or_fail
from cli.output import NOT_FOUND, fail
from cli.reports import check_words
from cli.stored import Stored
from store import messages, steering
from store.schema import retries
from store.views import Wanted

F = TypeVar("F", bound=Callable[..., Any])
STATES: Final = (*steering.NOT_OVER, "accepted", "refused", "cancelled", "expired")
_OPTIONS: Final = (
    click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only in this state; repeatable."),
    click.option("--channel", default="", help="Only those that go by this channel."),
    click.option("--account", default="", help="Only this account's."),
    click.option("--rule", default="", help="Only those that this rule planned."),
    click.option(
        "--recipient",
        default="",
        metavar="ADDRESS|-",
        help="Only to this number or e-mail address; - reads it, or one a line, from standard input.",
    ),
    click.option("--message", default="", metavar="ID", help="Only of this message."),
)


def filters(command: F) -> F:
    """Give a command the options that narrow down which resends it is about."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def is_narrowed(given: dict[str, Any]) -> bool:
    """Whether any filter was given."""
    return any(given.values())


def wanted(
    at: Stored, connection: Connection, given: dict[str, Any], otherwise: tuple[str, ...], limit: int = 50
) -> Wanted:
    """Return what the options ask for; without a state, those of `otherwise`."""
    check_words(given["channel"], "")
    account_or_fail(at, connection, given["account"])
    rule_or_fail(at, connection, given["rule"], retries.c.rule)
    return Wanted(
        account=given["account"],
        channel=given["channel"],
        rule=given["rule"],
        state=given["states"] or otherwise,
        message_id=given["message"],
        recipients=_recipients(at, connection, given["recipient"]),
        limit=limit,
    )


def _recipients(at: Stored, connection: Connection, text: str) -> tuple[bytes, ...] | None:
    if not text:
        return None
    lines = sys.stdin.read().splitlines() if text == "-" else [text]
    addresses = [line.strip() for line in lines if line.strip()]
    if not addresses:
        raise fail("No address came on standard input: write one a line.", 2)
    return tuple(number for address in addresses for number in at.hashes(connection, address).values())


def named(at: Stored, connection: Connection, texts: Iterable[str]) -> list[int]:
    """Return the ids of the resends that were named; end the command where there is none of a name."""
    found: dict[int, None] = {}
    accounts = at.accounts(connection)
    for text in texts:
        keys = [messages.key_of(at.vault, account, text, "") for account in accounts]
        numbers = steering.named(connection, text, keys)
        if not numbers:
            raise fail(
                f"There is no resend {text!r}, by its own id or by a message's. `dlr retries list --all` lists them.",
                name=NOT_FOUND,
            )
        found |= dict.fromkeys(numbers)
    return list(found)
