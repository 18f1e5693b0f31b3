"""`dlr proposals`: what the rules would do, and waits for a person to agree."""

from datetime import UTC, datetime
from typing import Any

import click

from cli.asking import confirm
from cli.groups import Listing
from cli.known import rule_or_fail
from cli.listed import print_found, with_addresses
from cli.moments import shown
from cli.output import counted, fail, format_option
from cli.shown import scope
from cli.stored import ids, stored
from cli.who import who_option
from store import holds
from store.ids import new_id
from store.schema import suppressions


@click.group(cls=Listing)
def proposals() -> None:
    """Suppressions that wait for a person, since the mode of suppressions is propose."""


@proposals.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@click.option("--counts", is_flag=True, help="Only how many there are of each rule.")
@format_option
def list_proposals(limit: int, counts: bool, form: str) -> None:
    """List what is proposed, the oldest first."""
    nothing = "Nothing is proposed. What is held stands in `dlr suppress held list`."
    with stored() as at, at.database.reading() as connection:
        if counts:
            rows: list[dict[str, Any]] = [
                dict(zip(("rule", "cause", "count"), row, strict=True)) for row in holds.proposal_counts(connection)
            ]
            headers: tuple[str, ...] = ("rule", "cause", "count")
            print_found(form, rows, headers, lambda row: (row["rule"], row["cause"], row["count"]), nothing)
            return
        found = holds.proposals(connection, limit)
        with_addresses(connection, found, "address")
    for row in found:
        row.pop("audit_head", None)
    print_found(form, found, ("id", "to", "cause", "covers", "since", "until", "rule"), _cells, nothing)


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    until = shown(row["until"]) or "for good"
    return (row["id"], row["address"], row["cause"], scope(row), shown(row["since"]), until, row["rule"])


_NUMBERS = click.argument("numbers", nargs=-1, metavar="ID...")
_RULE = click.option("--rule", default="", help="All that this rule proposed.")
_ALL = click.option("--all", "everything", is_flag=True, help="All that is proposed.")
_YES = click.option("--yes", is_flag=True, help="Do not ask.")


@proposals.command()
@_NUMBERS
@_RULE
@_ALL
@_YES
@who_option
def accept(numbers: tuple[str, ...], rule: str, everything: bool, yes: bool, who: str) -> None:
    """Agree: these people get no more within what the entry covers."""
    _answer(numbers, rule, everything, yes, who, is_accept=True)


@proposals.command()
@_NUMBERS
@_RULE
@_ALL
@_YES
@who_option
def drop(numbers: tuple[str, ...], rule: str, everything: bool, yes: bool, who: str) -> None:
    """Say no: nothing comes of them. A later failure is proposed anew."""
    _answer(numbers, rule, everything, yes, who, is_accept=False)


def _answer(numbers: tuple[str, ...], rule: str, everything: bool, yes: bool, who: str, *, is_accept: bool) -> None:
    if sum((bool(numbers), bool(rule), everything)) != 1:
        raise fail("Name ids, or --rule RULE, or --all.", 2)
    word, now = "accepted" if is_accept else "dropped", datetime.now(UTC)
    wanted = ids(numbers)
    with stored() as at:
        if wanted:
            done = at.database.repeat(lambda connection: holds.answer(connection, wanted, now, who, accept=is_accept))
            wrong = sorted(set(wanted) - set(done))
            for number in done:
                click.echo(f"Proposal {number} is {word}.")
            if wrong:
                raise fail(f"Not {word}, since they are not proposed: {', '.join(map(str, wrong))}.")
            return
        last = new_id()  # what comes in from here on was not shown
        with at.database.reading() as connection:
            rule_or_fail(at, connection, rule, suppressions.c.rule)
            counts = [row for row in holds.proposal_counts(connection) if rule in ("", row[0])]
        for of, cause, count in counts:
            click.echo(f"{count}\t{of}\t{cause}")
        total = sum(count for _, _, count in counts)
        if total and not yes:
            question = f"{'Accept' if is_accept else 'Drop'} {counted(total, 'proposal')}?"
            confirm(question)
        answered = 0
        while part := at.database.repeat(
            lambda connection: len(
                holds.answer(connection, holds.proposed_by(connection, rule, last), now, who, accept=is_accept)
            )
        ):
            answered += part
    click.echo(f"{answered} {word}.")
