"""`dlr replay`: decide anew on what came in before, under the rules and tables in force now."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import click

from cli.asking import confirm
from cli.known import account_or_fail, rule_or_fail
from cli.moments import MOMENT
from cli.output import counted, fail, format_option, print_json, print_table
from cli.reports import check_words
from cli.stored import Stored, stored, told
from codes import CodesError, Outcome
from policy import PolicyError
from store.errors import StoreError
from store.schema import decisions
from store.views import Wanted
from workers.context import Context, open_context
from workers.replay import Overtaken, Replay, Survey
from workers.verdict import Verdict

FILTERS = ("account", "channel", "outcome", "cause", "rule", "since", "until", "message", "recipient")
_HEADERS = ("reports", "rule before", "did", "rule now", "does")


@click.command()
@click.option(
    "--since", help="Received at or after: 2026-03-02, 2026-03-02T09:15 (UTC), or how long ago: 90m, 24h, 7d."
)
@click.option("--until", help="Received before.")
@click.option("--account", default="", help="Only this account's.")
@click.option("--channel", default="", help="Only this channel's.")
@click.option("--outcome", type=click.Choice([outcome.value for outcome in Outcome]), help="Only with this outcome.")
@click.option("--cause", default="", help="Only with this cause.")
@click.option("--rule", default="", help="Only what this rule ever decided.")
@click.option("--message", default="", metavar="ID", help="Only about this message.")
@click.option("--recipient", default="", metavar="ADDRESS", help="Only to this number or e-mail address.")
@click.option("--all", "everything", is_flag=True, help="All that is kept.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--resend", is_flag=True, help="Also plan the resends that follow, where they still have a point.")
@click.option("--rate", type=click.IntRange(1, 100_000), default=500, show_default=True, help="Reports a second.")
@click.option("--restart", is_flag=True, help="Begin anew instead of going on with a replay that was broken off.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option
def replay(
    everything: bool, dry_run: bool, resend: bool, rate: int, restart: bool, yes: bool, form: str, **filters: Any
) -> None:
    """Decide anew on past reports, from the raw callbacks, under the rules and tables in force now.

    Shows first what would change, and asks. New decisions are written beside the old ones, and suppressions that rules
    inferred are corrected. Nobody is notified, no opt-out is lifted, and nothing is resent without --resend. A replay
    that is broken off goes on where it was when it is started again with the same options.
    """
    if not everything and not any(filters.values()):
        raise fail("Say which reports: by --since 24h, by another filter, or --all.", 2)
    check_words(filters["channel"], filters["cause"])
    with stored() as at, opened_context(at) as context:
        with at.database.reading() as connection:
            account_or_fail(at, connection, filters["account"])
            rule_or_fail(at, connection, filters["rule"], decisions.c.rule)
        name = progress_name(filters, resend)
        running = Replay.open(context, _wanted(at, filters), name, resend=resend, restart=restart)
        if running.resumed:
            click.echo("An earlier replay with these options was broken off; this goes on where it was.", err=True)
        survey = running.survey()
        if form == "text":
            _show(survey)
        if dry_run or not survey.changed:
            if form == "json":
                print_json(_as_object(survey, applied=False))
            if not dry_run:
                running.end()
            return
        if not yes:
            confirm(_question(survey, resend))
        done = _run(running, rate)
    if form == "json":
        print_json(_as_object(done, applied=True))
    else:
        click.echo(_done(done, resend))


@contextmanager
def opened_context(at: Stored) -> Iterator[Context]:
    """Open what a worker holds; end the command where the rules, the codes or the database fail."""
    try:
        context = open_context(at.settings)
    except (PolicyError, CodesError) as error:
        raise fail(f"{error}\nNothing was changed.", 2) from None
    try:
        yield context
    except StoreError as error:
        raise fail(f"{told(error)} Start it again with the same options: it goes on where it was.") from None
    finally:
        context.database.close()


def _wanted(at: Stored, filters: dict[str, Any]) -> Wanted:
    values = {name: filters[name] for name in ("account", "channel", "outcome", "cause", "rule") if filters[name]}
    for name in ("since", "until"):
        if filters[name]:
            values[name] = MOMENT.convert(filters[name], None, None)
    if filters["recipient"]:
        with at.database.reading() as connection:
            values["recipients"] = tuple(at.hashes(connection, filters["recipient"]).values())
    return Wanted(**values, message_id=filters["message"])


def progress_name(filters: dict[str, Any], resend: bool) -> str:
    """Return the name under which this replay keeps how far it came; as the options were written, so `24h` too."""
    text = "\0".join(f"{name}={filters[name] or ''}" for name in FILTERS) + f"\0{resend}"
    return f"replay:{blake2b(text.encode(), digest_size=16).hexdigest()}"


def _run(running: Replay, rate: int) -> Survey:
    shown = sys.stderr.isatty()

    def progress(survey: Survey) -> None:
        if shown:
            click.echo(
                f"\r{counted(survey.reports, 'report')}, {counted(survey.changed, 'decision')} changed",
                nl=False,
                err=True,
            )

    try:
        return running.run(rate, progress)
    except Overtaken:
        raise fail("Another replay with these options runs at the same time; this one stopped.") from None
    except KeyboardInterrupt:
        raise fail("Broken off. Start it again with the same options: it goes on where it was.", 130) from None
    finally:
        if shown:
            click.echo("", err=True)


def _show(survey: Survey) -> None:
    parts = [
        f"{counted(survey.reports, 'report')}: {survey.changed} would be decided differently, {survey.same} as before"
    ]
    parts += [f"{counted(survey.undecided, 'has', 'have')} nothing to decide"] if survey.undecided else []
    parts += [f"{counted(survey.gone, 'has', 'have')} no raw callback any more"] if survey.gone else []
    parts += [f"{survey.unreadable} cannot be read from it"] if survey.unreadable else []
    click.echo(", ".join(parts) + ".", err=True)
    if survey.changes:
        print_table(_HEADERS, [(count, *_cells(before), *_cells(after)) for (before, after), count in _most(survey)])


def _most(survey: Survey) -> list[tuple[tuple[Verdict | None, Verdict], int]]:
    return survey.changes.most_common()


def _cells(verdict: Verdict | None) -> tuple[str, str]:
    return ("-", "nothing") if verdict is None else (verdict.rule, f"{verdict.cause}: {verdict.does}")


def _question(survey: Survey, resend: bool) -> str:
    also = " and plan the resends that follow" if resend else ""
    return f"Write {counted(survey.changed, 'new decision')}, correct the suppressions that rules inferred{also}?"


def _done(done: Survey, resend: bool) -> str:
    text = (
        f"{counted(done.changed, 'decision was', 'decisions were')} written beside the old; suppressions: "
        f"{done.suppressed} added or corrected, {done.lifted} lifted; planned resends: {done.cancelled} cancelled"
    )
    return f"{text}, {done.resends} added." if resend else f"{text}. Nobody was notified and nothing is resent."


def _as_object(survey: Survey, *, applied: bool) -> dict[str, Any]:
    numbers = ("reports", "same", "undecided", "gone", "unreadable", "lifted", "suppressed", "resends", "cancelled")
    changes = [
        {"count": count, "before": before and before._asdict(), "after": after._asdict()}
        for (before, after), count in _most(survey)
    ]
    return {
        "applied": applied,
        "changed": survey.changed,
        **{n: getattr(survey, n) for n in numbers},
        "changes": changes,
    }
