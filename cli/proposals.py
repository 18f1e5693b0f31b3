"""`dlr proposals`: what the rules would do, and waits for a person to agree."""

from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Connection

from cli import proposed_resends
from cli.asking import confirm
from cli.groups import Listing
from cli.known import rule_or_fail
from cli.listed import print_found, with_addresses
from cli.moments import shown
from cli.output import NOT_FOUND, counted, fail, format_option
from cli.shown import scope
from cli.stored import ids, stored
from cli.who import who_option
from store import holds
from store import proposed_resends as resends
from store.ids import new_id
from store.schema import retries, suppressions


@click.group(cls=Listing)
def proposals() -> None:
    """Suppressions and resends that wait for a person, since the mode of either is propose."""


@proposals.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@click.option("--counts", is_flag=True, help="Only how many there are of each rule.")
@format_option
def list_proposals(limit: int, counts: bool, form: str) -> None:
    """List what is proposed: suppressions, the oldest first, and resends, the next due first."""
    nothing = "Nothing is proposed. What is held stands in `dlr suppress held list`."
    with stored() as at, at.database.reading() as connection:
        if counts:
            rows: list[dict[str, Any]] = [
                dict(zip(("rule", "cause", "count"), row, strict=True)) for row in _counts(connection)
            ]
            headers: tuple[str, ...] = ("rule", "cause", "count")
            print_found(form, rows, headers, lambda row: (row["rule"], row["cause"], row["count"]), nothing)
            return
        found = holds.proposals(connection, limit)
        with_addresses(connection, found, "address")
        more = proposed_resends.look(connection, limit - len(found)) if len(found) < limit else []
    for row in found:
        row.pop("audit_head", None)
        row["kind"] = "suppression"
    found += more
    print_found(form, found, ("id", "to", "cause", "covers", "since", "until", "rule"), _cells, nothing)


def _counts(connection: Connection, rule: str = "") -> list[tuple[str, str, int]]:
    """Return (rule, cause or `resend`, how many) of what is proposed, by one rule where it is named."""
    every = (*holds.proposal_counts(connection), *proposed_resends.counts(connection))
    return [row for row in every if rule in ("", row[0])]


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    if row["kind"] == proposed_resends.KIND:
        return proposed_resends.cells(row)
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
    """Agree: these people get no more within what the entry covers, and these messages are sent again.

    A resend leaves when it was to, and everything is asked once more as it does.
    """
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
            done = at.database.repeat(lambda connection: _answered(connection, wanted, now, who, is_accept))
            wrong = sorted(set(wanted) - set(done))
            for number in done:
                click.echo(f"Proposal {number} is {word}.")
            if wrong:
                raise fail(f"Not {word}, since they are not proposed: {', '.join(map(str, wrong))}.")
            return
        last = new_id()  # what comes in from here on was not shown
        with at.database.reading() as connection:
            rule_or_fail(at, connection, rule, suppressions.c.rule, retries.c.rule)
            counts = _counts(connection, rule)
        for of, cause, count in counts:
            click.echo(f"{count}\t{of}\t{cause}")
        total = sum(count for _, _, count in counts)
        if total and not yes:
            question = f"{'Accept' if is_accept else 'Drop'} {counted(total, 'proposal')}?"
            confirm(question)
        answered = 0
        while part := at.database.repeat(
            lambda connection: len(_answered(connection, _next(connection, rule, last), now, who, is_accept))
        ):
            answered += part
    click.echo(f"{answered} {word}.")


def _next(connection: Connection, rule: str, last: int) -> list[int]:
    return holds.proposed_by(connection, rule, last) or resends.proposed_by(connection, rule, last)


def _answered(connection: Connection, numbers: list[int], now: datetime, who: str, is_accept: bool) -> list[int]:
    """Answer those of these ids that are proposed, whichever of the two each is; return them."""
    done = holds.answer(connection, numbers, now, who, accept=is_accept)
    return done + resends.answer(connection, sorted(set(numbers) - set(done)), now, who, accept=is_accept)


@proposals.command()
@click.argument("number", metavar="ID")
@click.option("--reveal", is_flag=True, help="Show the address in clear.")
@format_option
@click.pass_context
def show(ctx: click.Context, number: str, reveal: bool, form: str) -> None:
    """Show one proposal as `dlr suppress show` or `dlr retries show` does: what led to it, and what it would do."""
    from cli.retries.showing import show as show_resend
    from cli.suppress import show_suppression

    [wanted] = ids((number,))
    with stored() as at, at.database.reading() as connection:
        is_resend = bool(resends.among(connection, [wanted]))
        if not is_resend and not holds.is_proposed(connection, wanted):
            raise fail(f"{number} is not proposed. `dlr proposals list` shows what is.", name=NOT_FOUND)
    if is_resend:
        ctx.invoke(show_resend, name=number, reveal=reveal, form=form)
    else:
        ctx.invoke(show_suppression, what=number, reveal=reveal, form=form)
