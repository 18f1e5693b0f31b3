"""`dlr message ID`: everything that is known of one message, in the order in which it happened."""

from dataclasses import dataclass
from datetime import UTC, datetime

import click
from sqlalchemy import Connection

from cli.known import account_or_fail
from cli.moments import shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json
from cli.purpose import purpose_of, purposes_of
from cli.retries.listing import with_waits
from cli.sent import told as told_send
from cli.shown import FORGOTTEN, address, plain, plain_facts
from cli.stored import Stored, stored
from cli.timeline import print_timeline
from codes import CodeRef, Codes, Match, load_codes
from policy.rules import Purposes
from reports.states import REACHED, State
from store import people, registered, views
from store.inbox import backlog
from store.moments import from_ms
from store.views import Found, Wanted

RETRYING = "retrying"
_MOST = 1_000
_NO_ERROR = "NO_ERROR"
_NOT_KEPT = "(address not kept)"  # it comes with the first report
_INNER = ("message_key", "recipient", "message_id", "changed_at", "sent_by", "owner", "lease_until")
_ON_ITS_WAY = frozenset({"planned", "claimed", "sending"})


@click.command()
@click.argument("message_id", metavar="ID")
@click.option("--account", default="", help="Only this account's message of that id.")
@click.option("--reveal", is_flag=True, help="Show the recipient's address in clear.")
@format_option
def message(message_id: str, account: str, reveal: bool, form: str) -> None:
    """Show what became of the message ID: how it was sent, reports, decisions with their reasons, suppressions."""
    with stored() as at, at.database.reading() as connection:
        account_or_fail(at, connection, account)
        codes = load_codes(at.settings.codes_local)
        history = _History(at, connection, codes, purposes_of(at.settings, codes), reveal)
        # What was refused here, or has only just left, is known to the register of sends alone.
        known = views.messages_of(connection, message_id) or registered.sends_named(connection, message_id)
        told = [history.of(row) for row in known if account in ("", row["account"])]
        problem = "" if told else _unknown(at, connection, message_id)
    if problem:
        raise fail(problem, name=NOT_FOUND)
    if form == "json":
        print_json({"message_id": message_id, "messages": plain(told)})
        return
    for one in told:
        print_timeline(one)


@dataclass(frozen=True, slots=True)
class _History:
    """Gathers all about one message to one recipient."""

    at: Stored
    connection: Connection
    codes: Codes
    purposes: Purposes
    reveal: bool

    def of(self, row: Found) -> Found:
        """Return the message with its `send`, `reports`, `resends` and `suppressions`, keys and hashes left out.

        `row` is a message, or a send of which no report has come.
        """
        reports = views.reports_of(self.connection, row["key"])
        resends = views.find_retries(self.connection, Wanted(limit=_MOST), row["key"])
        with_waits(self.connection, resends, datetime.now(UTC))
        theirs = Wanted(account=row["account"], recipients=(row["recipient"],), limit=_MOST)
        suppressed = views.find_suppressions(self.connection, theirs) if row["recipient"] else []
        known = people.known(self.connection, [row["recipient"]])
        purpose, source = purpose_of(self.connection, self.purposes, row)
        recipient = address(known, row["recipient"], self.at if self.reveal else None)
        return {
            "message_id": row["message_id"],
            "account": row["account"],
            "channel": row["channel"],
            "sender": row["sender"],
            "recipient": _NOT_KEPT if recipient == FORGOTTEN and not reports else recipient,
            "purpose": purpose,
            "purpose_from": source,
            "state": computed_state(row["state"], resends),
            "legs": [
                {"leg": name, "state": state, "at": from_ms(at)} for name, (state, at) in row.get("legs", {}).items()
            ],
            "first_at": row.get("first_at", row.get("sent_at")),
            "send": told_send(registered.send_of(self.connection, row["key"])),
            "reports": [told_report(self.codes, report) for report in reports],
            "resends": [_without(resend, *_INNER) for resend in resends],
            "suppressions": [_without(entry, "address", "scope", "evidence") for entry in suppressed],
        }


def told_report(codes: Codes, report: Found) -> Found:
    """Return a report as people see it: its `codes` and `advice` in words, its decisions without inner ids."""
    facts = report["facts"]
    refs = [CodeRef(**facts[kind]) if facts.get(kind) else None for kind in ("status", "error")]
    meaning = codes.lookup(report["channel"], refs[0], refs[1], facts.get("smtp", ""))
    is_coded = report["event"] == "delivery" and any(refs)
    decisions = [_without(decision, "report_id") for decision in report["decisions"]]
    kept = _without(report, "message_key", "recipient", "facts", "decisions", "account")
    return {
        **kept,
        "codes": [text for match in (meaning.status, meaning.error) if (text := _in_words(match))],
        "advice": meaning.advice if is_coded else "",
        "facts": _without(plain_facts(facts), "message_id"),
        "decisions": decisions,
    }


def computed_state(state: str, resends: list[Found]) -> str:
    """Return the state of the message as a whole: `retrying` while a resend is under way and none has arrived."""
    over = {*REACHED, State.BOUNCED_LATE}
    return RETRYING if state not in over and any(row["state"] in _ON_ITS_WAY for row in resends) else state


def _in_words(match: Match) -> str:
    """Return a code with its name, the table's where the report gives none; nothing for the absence of an error."""
    if match.row is None:
        return str(match.ref) if match.ref else ""
    return "" if match.row.name == _NO_ERROR else f"{match.row.id} {match.row.name}"


def _without(row: Found, *names: str) -> Found:
    return {name: value for name, value in row.items() if name not in names}


def _unknown(at: Stored, connection: Connection, message_id: str) -> str:
    """Say that nothing is known of an id, and what is the likeliest reason here and now."""
    waiting, age = backlog(connection, datetime.now(UTC))
    bad = views.counts_by_state(connection)["quarantine"].get("open", 0)
    newest = views.newest_reports(connection, 1)
    lines = [f"Nothing is known of the message {message_id!r}."]
    if waiting:
        seconds = round(age.total_seconds())
        wait = counted(waiting, "callback waits", "callbacks wait")
        lines.append(f"{wait} to be processed, the oldest for {seconds} s: try again in a moment.")
    if bad:
        lines.append(f"{counted(bad, 'item')} could not be understood: see `dlr quarantine list`.")
    if newest:
        lines.append(f"The last report came in at {shown(newest[0]['received_at'])}; `dlr reports` lists the newest.")
    else:
        lines.append("No report has come in yet: `dlr doctor` says whether one could.")
    days = at.settings.keep_reports.days
    lines.append("The id is the one that Infobip gave or got when the message was sent.")
    lines.append(f"Reports are kept for {counted(days, 'day')}.")
    return "\n".join(lines)
