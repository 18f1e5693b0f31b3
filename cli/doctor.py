"""`dlr doctor`: what is not in order, and how to put it right."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

import click
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cli import (
    findings,
    forward_findings,
    key_findings,
    relay_findings,
    route_findings,
    stored_findings,
    sync_findings,
)
from cli.findings import ERROR, OK, WARNING, Finding
from cli.output import counted, format_option, print_json, print_table
from cli.public_check import through_public_url
from cli.subscribe.looking import subscriptions
from cli.terminal import say
from config.settings import Settings, SettingsError, load_settings
from store.database import Database, open_database
from store.errors import StoreError

# What needs no database, and what only makes sense where the database is in order; in the order of the print.
CHECKS: Final[tuple[Callable[[Settings], Iterator[Finding]], ...]] = (
    findings.rules_and_codes,
    findings.endpoint,
    subscriptions,
    forward_findings.own_system,
    relay_findings.cut_callbacks,
    findings.broker,
    findings.disk,
)
STORED_CHECKS: Final[tuple[Callable[[Settings, Database], Iterator[Finding]], ...]] = (
    stored_findings.keys,
    key_findings.missing_keys,
    stored_findings.clock,
    stored_findings.work,
    stored_findings.waits,
    stored_findings.modes,
    route_findings.alert_routes,
    sync_findings.in_step,
)
_INDENT: Final = 22
_STYLES: Final = {OK: "green", WARNING: "yellow", ERROR: "red"}


@click.command()
@click.option("--public", is_flag=True, help="Also post a sample through the public URL, as Infobip would.")
@format_option
def doctor(public: bool, form: str) -> None:
    """Look at everything that this service needs, and say how to put right what is not in order.

    Ends with 1 where something is wrong, and with 0 where there is nothing, or only something to think about.
    """
    found = list(examine(public))
    wrong = sum(finding.severity == ERROR for finding in found)
    if form == "json":
        print_json([finding._asdict() for finding in found])
    else:
        print_findings(found)
        doubtful = sum(finding.severity == WARNING for finding in found)
        at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z"
        click.echo(f"{counted(wrong, 'error')}, {counted(doubtful, 'warning')}, at {at}.", err=True)
    if wrong:
        sys.exit(1)


def examine(public: bool) -> Iterator[Finding]:
    """Yield every finding. One look that fails costs only its own findings."""
    try:
        settings = load_settings()
    except SettingsError as error:
        for line in str(error).splitlines():
            yield Finding(ERROR, "settings", line, "Correct it: nothing starts like this.")
        return
    if settings.state_dir.exists() and not settings.state_dir.is_dir():
        said = f"DLR_STATE_DIR names {settings.state_dir}, which is a file"
        yield Finding(
            ERROR, "settings", said, "Name a folder, or a place where one can be made: nothing else was looked at."
        )
        return
    yield Finding(OK, "settings", "all can be read")
    for check in CHECKS:
        yield from _guarded(check.__name__, lambda check=check: check(settings))  # type: ignore[misc]
    try:
        # No more patience than the endpoint has: what it gives up on is the very thing to find.
        patience = settings.lock_wait
        database = open_database(settings.database, synchronous=settings.sqlite_synchronous, lock_wait=patience, pool=2)
    except (ArgumentError, ValueError, ImportError) as error:
        yield Finding(ERROR, "database", f"the URL cannot be used: {error}", "Correct DLR_DATABASE_URL.")
        return
    try:
        yield from _stored(settings, database, public)
    finally:
        database.close()


def _stored(settings: Settings, database: Database, public: bool) -> Iterator[Finding]:
    first = list(_guarded("database", lambda: stored_findings.database(settings, database)))
    yield from first
    if all(finding.severity != ERROR for finding in first):
        for check in STORED_CHECKS:
            yield from _guarded(check.__name__, lambda check=check: check(settings, database))  # type: ignore[misc]
    if public:
        yield from _guarded("public post", lambda: through_public_url(settings, database))


def _guarded(name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except (StoreError, SQLAlchemyError, OSError, ValueError) as error:
        first = next(iter(str(error).splitlines()), "")
        yield Finding(ERROR, name.replace("_", " "), f"it could not be looked at: {first}", "See the other findings.")


def print_findings(found: list[Finding]) -> None:
    """Print findings: with marks on a terminal, else one line each."""
    if not sys.stdout.isatty():
        print_table((), found)
        return
    for finding in found:
        mark = click.style(f"{finding.severity:8}", fg=_STYLES[finding.severity])
        say(finding.message, _INDENT, f"{mark} {finding.check:12} ")
        if finding.fix:
            say(finding.fix, _INDENT + 2, f"{'':{_INDENT}}→ ")
