"""A message's history as a timeline: on a terminal to be read at a glance, in a pipe one line for each event."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli import sent
from cli.moments import shown
from cli.shown import price, scope
from policy.durations import in_words
from reports.states import leg_in_words
from store.views import Found

_STYLES: Final = {
    "delivered": "bold green",
    "seen": "bold green",
    "failed": "bold red",
    "bounced_late": "bold red",
    "retrying": "bold yellow",
}
_RESENDS: Final = {
    "observed": "would leave; resends are in the mode observe, so nothing is sent",
    "proposed": "would leave, once a person agrees",
    "planned": "leaves",
    "waiting": "is not planned",
    "claimed": "is about to leave",
    "sending": "is leaving",
    "unknown": "left, and nobody knows yet whether Infobip has it",
    "accepted": "left, and Infobip has it",
    "refused": "was refused by Infobip",
    "cancelled": "was due, and is cancelled",
    "expired": "was due, and its time is over",
}
# Open resends that go on by themselves need no word on whom they wait for.
_BY_ITSELF: Final = ("", "its time", "a worker")
_STATES: Final = {
    "active": "is suppressed",
    "proposed": "is not blocked: would be suppressed, once a person agrees,",
    "held": "is not blocked: held back among many others, until a person decides (dlr suppress held list),",
    "dropped": "was proposed to be suppressed, and a person said no,",
}
# What a report says of a message that did not fail needs no further word.
_PLAIN: Final = ("delivered", "handed_over", "pending")
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Line(NamedTuple):
    """One line of the timeline. `at` is empty for what belongs to the line before; `note` is of lesser weight."""

    at: datetime | None
    label: str
    text: str
    note: str = ""
    style: str = ""


def print_timeline(told: Found) -> None:
    """Print one message to one recipient."""
    lines = list(timeline(told))
    if not sys.stdout.isatty():
        head = (told["message_id"], told["recipient"], told["channel"], told["sender"], told["account"], told["state"])
        click.echo("\t".join(("message", *map(_flat, head))))
        moment = None
        for line in lines:
            moment = line.at or moment
            click.echo("\t".join((shown(moment), line.label, _flat(line.text), _flat(line.note))))
        return
    console = Console(highlight=False)
    console.print(_head(told))
    console.print(_grid(lines))


def _flat(text: str) -> str:
    return " ".join(str(text).split())


def _head(told: Found) -> Text:
    state = str(told["state"])
    sender = f" from {told['sender']}" if told["sender"] else ""
    declared = told["purpose"] != "undeclared"
    purpose = f"{told['purpose']} ({told['purpose_from']})" if declared else "purpose not declared"
    head = Text.assemble(
        (told["message_id"], "bold"),
        f"  {told['channel']}{sender} to {told['recipient'] or 'nobody named'}  ",
        (state.replace("_", " "), _STYLES.get(state, "bold")),
    )
    head.append(f"\naccount {told['account']}, {purpose}, first heard of {shown(told['first_at'])}", "dim")
    if any(leg["leg"] for leg in told["legs"]):
        legs = ", ".join(f"{leg_in_words(leg['leg'])} {leg['state']}" for leg in told["legs"])
        head.append(f"\nlegs: {legs}", "dim")
    return head.append("\n")


def _grid(lines: list[Line]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    day = None
    for line in lines:
        if line.at is not None and line.at.date() != day:
            day = line.at.date()
            table.add_row(Text(f"{day}", "dim"), "", "")
        text = Text.assemble((line.text, line.style))
        if line.note:
            text.append(f"{_between(line)}{line.note}", "dim")
        table.add_row(f"{line.at.astimezone(UTC):%H:%M:%S}" if line.at else "", line.label, text)
    return table


def _between(line: Line) -> str:
    # After a whole sentence the small print gets a line of its own.
    return "\n" if line.text.endswith(".") else "  "


def timeline(told: Found) -> Iterator[Line]:
    """Yield the lines of a message in the order in which things happened, each report with what was decided on it."""
    groups = [list(report_lines(report)) for report in told["reports"]]
    groups += [[resend_line(resend)] for resend in told["resends"]]
    groups += [[_suppression(entry)] for entry in told["suppressions"]]
    if told["send"]:
        groups.insert(0, [_send(told["send"], told["reports"])])
    # What has no time has not happened.
    for group in sorted(groups, key=lambda lines: (lines[0].at is None, lines[0].at or _NEVER)):
        yield from group


def report_lines(report: Found) -> Iterator[Line]:
    """Yield a report, what it means, and what was decided on it."""
    yield _report(report)
    if report["advice"] and report["outcome"] not in _PLAIN:
        yield Line(None, "means", report["advice"])
    for decision in report["decisions"]:
        yield _decision(decision)


def _report(report: Found) -> Line:
    facts = report["facts"]
    codes = ", ".join(report["codes"])
    what = report["outcome"].replace("_", " ") if report["event"] == "delivery" else report["kind"].lower()
    parts = [f"on {facts['leg']}"] if facts.get("leg") else []
    parts += [f"network {facts['mcc_mnc']}"] if facts.get("mcc_mnc") else []
    parts += [price(facts)] if price(facts) else []
    parts.append(_delay(report))
    style = _STYLES.get(report["outcome"], "") if report["event"] == "delivery" else ""
    return Line(report["event_at"], "report", f"{what}: {codes}" if codes else what, ", ".join(parts), style)


def _delay(report: Found) -> str:
    if report["facts"].get("time_replaced"):
        return "Infobip gave no usable time, so this is when it came"
    late = report["received_at"] - report["event_at"]
    seconds = round(late.total_seconds())
    if seconds < 2:
        return "came at once"
    size = next(size for size in (86400, 3600, 60, 1) if seconds >= size)
    return f"came {in_words(timedelta(seconds=seconds // size * size))} later"


def _decision(decision: Found) -> Line:
    label = "replayed" if decision["replay"] else "decision"
    versions = f"rule {decision['rule']} (policy {decision['policy']}, tables {decision['tables']})"
    if decision["replay"]:
        versions = f"{versions}, at {shown(decision['decided_at'])}"
    return Line(None, label, decision["reason"], versions)


def resend_line(resend: Found) -> Line:
    """Return what became of a resend."""
    where = f" by {resend['channel']}" if resend["channel"] else ""
    where += f" as {resend['new_id']}" if resend["new_id"] else ""
    text = _RESENDS.get(resend["state"], f"is {resend['state']}")
    if (whom := resend["waits_for"]) not in _BY_ITSELF:
        text = "is held" if resend["state"] == "planned" else text
        text += f"; it waits for {whom}"
    why = resend["note"] if resend["state"] == "observed" else resend["why"]
    note = ", ".join(part for part in (why, f"rule {resend['rule']}", f"id {resend['id']}") if part)
    return Line(resend["sent_at"] or resend["due_at"], "resend", f"attempt {resend['attempt']}{where} {text}", note)


def _send(send: Found, reports: list[Found]) -> Line:
    style = "bold red" if send["state"] == "refused" else ""
    return Line(send["sent_at"], "sent", sent.words(send, reported=bool(reports)), sent.note(send), style)


def _suppression(entry: Found) -> Line:
    until = f"until {shown(entry['until'])}" if entry["until"] else "for good"
    now = datetime.now(UTC)
    is_over = entry["until"] is not None and entry["until"] <= now
    state = _STATES.get(entry["state"], f"was suppressed ({entry['state']})")
    if is_over and entry["state"] == "active":
        state = "was suppressed"
    note = f"{entry['cause']}, rule {entry['rule'] or '-'}, id {entry['id']}"
    return Line(entry["since"], "recipient", f"{state} on {scope(entry)} {until}", note)
