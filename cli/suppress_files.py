"""`dlr suppress import|export`: the list as CSV, row by row, however long it is."""

import csv
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cli import known
from cli.moments import parse
from cli.output import counted, fail
from cli.stored import stored
from cli.suppress_change import ADDRESS_INVALID
from cli.who import who_option
from codes.suggest import did_you_mean
from config.mask import mask_text
from reports.recipient import fault_of, fault_of_form
from store import entering, exporting
from store.entering import ADDED, BY_HAND, PROTECTED, Wanted
from webhook.accounts import MAIN
from webhook.suppress_words import CAUSES_BY_HAND, PURPOSES_OF_ENTRIES, SENT_ON, cause_of

_AT_ONCE: Final = 500
_TOLD: Final = 20
COLUMNS: Final = exporting.COLUMNS


class BadLine(Exception):
    """What is wrong with a line. It never shows the address."""


@click.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8-sig", errors="replace"), metavar="FILE|-")
@click.option("--account", default=MAIN, show_default=True, help="Of lines that name no account.")
@click.option("--cause", default=BY_HAND, show_default=True, help="Of lines that name no cause.")
@click.option("--dry-run", is_flag=True, help="Only look for mistakes.")
@who_option
def import_file(file: IO[str], account: str, cause: str, dry_run: bool, who: str) -> None:
    """Import addresses from a CSV file with a header, in any order of columns; only `address` is required.

    Columns: address, account, channel, sender, campaign, purpose, cause, since, until, reason. Those that an export
    has besides are passed over. A bad line is told with its number, and the others are imported; exit code 1 then.
    """
    default = cause_of(cause)
    if default is None:
        raise fail(f"There is no cause {cause!r} for this. {did_you_mean(cause, CAUSES_BY_HAND)}", 2)
    reader = csv.DictReader(file)
    _check_header(reader.fieldnames)
    count = _Count()
    with stored() as at, _progress("imported") as advance:
        with at.database.reading() as connection:
            accounts = known.accounts(at, connection)
            known.account_or_fail(at, connection, account)
        for part in _parts(_read(reader, account, default, count, accounts)):
            if not dry_run:
                now = datetime.now(UTC)
                results = at.database.repeat(
                    lambda connection, part=part, now=now: entering.enter(  # type: ignore[misc]
                        connection, at.vault, part, now, who, "import"
                    )
                )
                for result in results:
                    count.results[result] = count.results.get(result, 0) + 1
            count.good += len(part)
            advance(len(part), None)
    count.tell(dry_run=dry_run)


@dataclass
class _Count:
    good: int = 0
    bad: int = 0
    results: dict[str, int] = field(default_factory=dict)

    def note(self, line: int, problem: str) -> None:
        """Tell of a bad line; of very many only the first ones."""
        self.bad += 1
        if self.bad <= _TOLD:
            # Where columns are mixed up, an address may stand in any of them.
            click.echo(f"line {line}: {mask_text(problem)}", err=True)
        elif self.bad == _TOLD + 1:
            click.echo("... and further lines, which are counted only", err=True)

    def tell(self, *, dry_run: bool) -> None:
        """Print the outcome; end the command with 1 where a line was bad."""
        if dry_run:
            click.echo(f"{counted(self.good, 'line is', 'lines are')} good; nothing was imported.")
        else:
            told = [f"{self.results.get(ADDED, 0)} added", f"{self.results.get(entering.STANDS, 0)} stood already"]
            if self.results.get(PROTECTED):
                told.append(f"{self.results[PROTECTED]} protected and left out")
            click.echo(", ".join(told) + ".")
        if self.bad:
            raise fail(
                f"{counted(self.bad, 'line was', 'lines were')} bad and not imported. Correct them, and import the "
                "file again: what stands already is not doubled."
            )


def _check_header(names: Any) -> None:
    columns = (*COLUMNS, "reason")
    if not names or "address" not in names:
        raise fail("The first line has to name the columns, and one of them has to be `address`.", 2)
    for name in names:
        if name not in columns:
            raise fail(f"There is no column {name!r}. {did_you_mean(name or '', columns)}", 2)


def _read(
    reader: "csv.DictReader[str]", account: str, cause: str, count: _Count, accounts: Collection[str]
) -> Iterator[Wanted]:
    lines = iter(reader)
    while True:
        try:
            row = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            count.note(reader.line_num, f"it is no CSV ({error})")
            continue
        try:
            one = wanted(row, account, cause)
            if one.account not in accounts:
                raise BadLine(f"there is no account {one.account!r}; {did_you_mean(one.account, accounts)}")
            yield one
        except BadLine as problem:
            count.note(reader.line_num, str(problem))


def wanted(row: dict[str, Any], account: str, cause: str) -> Wanted:
    """Return a line as an entry. Raises `BadLine`."""
    if None in row or None in row.values():
        raise BadLine("it has another number of cells than the header")
    cells = {name: value.strip() for name, value in row.items()}
    address = cells["address"]
    channel, purpose = cells.get("channel", ""), cells.get("purpose") or "all"
    if channel and channel not in SENT_ON:
        raise BadLine(f"there is no channel {channel!r}. {did_you_mean(channel, SENT_ON)}")
    if purpose not in PURPOSES_OF_ENTRIES:
        raise BadLine(f"purpose is {purpose!r}; write all or marketing")
    word = cause_of(cells["cause"]) if cells.get("cause") else cause
    if word is None:
        raise BadLine(f"there is no cause {cells['cause']!r}; {did_you_mean(cells['cause'], CAUSES_BY_HAND)}")
    # A line of an export names what reports named: whatever that looks like, it is somebody's address.
    is_free = bool(cells.get("origin")) or word == ADDRESS_INVALID
    if fault := fault_of_form(address) if is_free else fault_of(address, channel):
        raise BadLine(f"the address: {fault}")
    if (cells.get("state") or "active") != "active":
        raise BadLine(f"it is {cells['state']}, and only what is active is imported")
    since, until = _moment(cells, "since"), _moment(cells, "until")
    if since is not None and since > datetime.now(UTC):
        raise BadLine("since lies in the future")
    return Wanted(
        account=cells.get("account") or account,
        address=address,
        channel=channel,
        sender=cells.get("sender", ""),
        campaign=cells.get("campaign", ""),
        purpose=purpose,
        cause=word,
        since=since,
        until=until,
        reason=cells.get("reason", ""),
    )


def _moment(cells: dict[str, str], name: str) -> datetime | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        return parse(text)
    except (ValueError, OverflowError):
        raise BadLine(f"{name} is {mask_text(text)[:40]!r}; write 2026-11-24T10:00:00Z") from None


def _parts(found: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    part: list[Wanted] = []
    for one in found:
        part.append(one)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


@click.command()
@click.option(
    "--output",
    type=click.File("w", encoding="utf-8", lazy=False),
    default="-",
    metavar="FILE",
    help="Where to; without it, to standard output.",
)
@click.option("--account", default="", help="Only this account's.")
@click.option("--cause", default="", help="Only for this cause.")
@click.option(
    "--state",
    type=click.Choice(["active", "proposed", "held", "all"]),
    default="active",
    show_default=True,
    help="Only in this state.",
)
def export(output: IO[str], account: str, cause: str, state: str) -> None:
    """Write the list as CSV, with the addresses in clear: keep the file as you keep the addresses.

    Entries whose person was forgotten have no address any more and are left out; they still block.
    """
    word = cause_of(cause) if cause else ""
    if word is None:
        raise fail(f"There is no cause {cause!r}. {did_you_mean(cause, CAUSES_BY_HAND)}", 2)
    written = forgotten = 0
    with stored() as at, _progress("exported") as advance:
        with at.database.reading() as connection:
            known.account_or_fail(at, connection, account)
        writer = csv.writer(output)
        writer.writerow(COLUMNS)
        for row in exporting.rows(at.database, at.vault, account=account, cause=word, state=state):
            if row is None:
                forgotten += 1
                continue
            writer.writerow(row)
            written += 1
            advance(1, None)
    left = f"; {forgotten} of forgotten people have no address and are left out" if forgotten else ""
    click.echo(f"{counted(written, 'entry', 'entries')} exported{left}.", err=True)


@contextmanager
def _progress(what: str) -> Iterator[Any]:
    """Show how many there are by now, on a terminal only; yields a function (count, total)."""
    if not sys.stderr.isatty():
        yield lambda count, total: None
        return
    columns = (TextColumn("{task.completed:,.0f} " + what), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda count, total: progress.update(task, advance=count, total=total)
