"""`dlr reports`: what came in, the newest first."""

from typing import Any

import click

from cli.known import account_or_fail, rule_or_fail
from cli.moments import MOMENT, iso, shown
from cli.output import counted, fail, format_option, print_json, print_nothing, print_table
from cli.shown import address, code, plain, plain_facts
from cli.stored import Stored, stored
from codes import CAUSES, CHANNELS, Outcome
from codes.suggest import did_you_mean
from reports.words import MENTION, START, STOP
from store import people, views
from store.schema import decisions
from store.views import Found, Wanted

_HEADERS = ("received", "channel", "message", "to", "what", "outcome", "cause", "status", "error", "rule")


@click.command()
@click.option("--account", default="", help="Only this account's.")
@click.option("--channel", default="", help="Only this channel's, such as sms.")
@click.option("--outcome", type=click.Choice([outcome.value for outcome in Outcome]), help="Only with this outcome.")
@click.option("--cause", default="", help="Only with this cause: `dlr codes` lists them.")
@click.option("--rule", default="", help="Only what this rule decided: `dlr policy show` lists them.")
@click.option("--word", type=click.Choice([STOP, START, MENTION]), help="Only inbound messages with such a word.")
@click.option(
    "--since",
    type=MOMENT,
    help="Received at or after: 2026-03-02, 2026-03-02T09:15 (UTC), or how long ago: 90m, 24h, 7d.",
)
@click.option("--until", type=MOMENT, help="Received before.")
@click.option("--message", default="", metavar="ID", help="Only about this message.")
@click.option("--recipient", default="", metavar="ADDRESS", help="Only to this number or e-mail address.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@format_option
def reports(recipient: str, message: str, limit: int, form: str, **filters: Any) -> None:
    """List what came in, the newest first. Addresses are masked."""
    check_words(filters["channel"], filters["cause"])
    with stored() as at, at.database.reading() as connection:
        account_or_fail(at, connection, filters["account"])
        rule_or_fail(at, connection, filters["rule"], decisions.c.rule)
        wanted = Wanted(
            **{name: value for name, value in filters.items() if value},
            message_id=message,
            recipients=tuple(at.hashes(connection, recipient).values()) if recipient else None,
            limit=limit,
        )
        found = views.find_reports(connection, wanted)
        known = people.known(connection, (row["recipient"] for row in found))
    if form == "json":
        print_json([_as_object(row, known) for row in found])
    elif found:
        print_table(_HEADERS, [_cells(row, known) for row in found])
    else:
        print_nothing(_nothing(at, filters, message, recipient))


def check_words(channel: str, cause: str) -> None:
    """End the command at a channel or cause that there is not: an empty list would be a wrong answer."""
    if channel and channel not in CHANNELS:
        raise fail(f"There is no channel {channel!r}. {did_you_mean(channel, CHANNELS)}", 2)
    if cause and cause not in CAUSES:
        raise fail(f"There is no cause {cause!r}. {did_you_mean(cause, CAUSES)}", 2)


def _nothing(at: Stored, filters: dict[str, Any], message: str, recipient: str) -> str:
    if message or recipient or any(filters.values()):
        kept = counted(at.settings.keep_reports.days, "day")
        return f"No report fits. Reports are kept for {kept}; without options `dlr reports` lists the newest."
    return "No report has come in yet. `dlr doctor` says whether one could, `dlr sample` prints one to post."


def _cells(row: Found, known: dict[bytes, Found]) -> tuple[Any, ...]:
    facts = row["facts"]
    return (
        shown(row["received_at"]),
        row["channel"],
        facts.get("message_id", ""),
        address(known, row["recipient"]),
        row["kind"].lower(),
        row["outcome"],
        row["cause"],
        code(facts, "status"),
        code(facts, "error"),
        row["rule"],
    )


def _as_object(row: Found, known: dict[bytes, Found]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "account": row["account"],
        "callback_id": str(row["callback_id"]),
        "item_index": row["item_index"],
        "received_at": iso(row["received_at"]),
        "event_at": iso(row["event_at"]),
        "recipient": address(known, row["recipient"]),
        **{name: row[name] for name in ("event", "kind", "channel", "outcome", "cause", "rule", "reason", "replay")},
        **plain(plain_facts(row["facts"])),
    }
