"""An evidence pack for people to read: dated, in sections, the same on a terminal, in a pipe and in a file."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from cli.evidence import lists
from cli.evidence.head import NOTES
from cli.moments import shown
from cli.output import counted
from cli.shown import actions, code, cut_words, scope
from cli.timeline import Line, report_lines, resend_line
from codes import CAUSES
from reports.states import leg_in_words
from store.sends import REFUSED
from store.views import Found

_INDENT: Final = "    "


def lines(pack: Found) -> Iterator[str]:
    """Yield the lines of a pack. What others wrote cannot break a line, so nobody forges one."""
    for line in _lines(pack):
        yield "".join(letter if letter.isprintable() else " " for letter in line).rstrip()


def _lines(pack: Found) -> Iterator[str]:
    yield from _head(pack)
    yield from _retained(pack)
    if not pack["known"]:
        yield ""
        yield f"NOTHING IS STORED about {pack['recipient']}, in any account asked for."
        return
    for title, name, told in _SECTIONS:
        yield ""
        yield f"{title.upper()} ({len(pack[name])})"
        for row in pack[name]:
            yield from told(row)
    yield ""
    yield from _verdict(pack)


def _head(pack: Found) -> Iterator[str]:
    at = pack["installation"]
    keys = ", ".join(f"{name} {number}" for name, number in at["keys"].items())
    yield f"EVIDENCE about {pack['recipient']}"
    yield f"{_INDENT}made {shown(pack['made_at'])} by {pack['made_by']}; all times are UTC"
    yield (
        f"{_INDENT}on {at['host']} from {at['state_dir']} ({at['database']}), release {at['release']}, tables of "
        f"revision {at['revision']}, keys {keys}"
    )
    yield f"{_INDENT}addresses are {'in clear' if pack['revealed'] else 'masked, also in what people typed'}"
    for one in pack["accounts"]:
        seen = f", last seen {shown(one['last_seen_at'])}" if one["last_seen_at"] else ""
        yield f"{_INDENT}account {one['account']}: {one['recipient']}{seen}"


def _retained(pack: Found) -> Iterator[str]:
    yield ""
    yield "WHAT IS DELETED BY NOW, and cannot be shown"
    for one in pack["retention"]:
        if one["before"] is None:
            yield f"{_INDENT}{one['what']}: never"
        else:
            yield f"{_INDENT}{one['what']}: from before {shown(one['before'])} (kept for {one['days']:g} days)"
    for note in NOTES:
        yield f"{_INDENT}{note}"


def _message(row: Found) -> Iterator[str]:
    named = row["legs"] if any(leg["leg"] for leg in row["legs"]) else []
    legs = ", ".join(f"{leg_in_words(leg['leg'])} {leg['state']} {shown(leg['at'])}" for leg in named)
    yield _row(row["first_at"], f"{row['message_id'] or '(no id)'} {row['channel']}: {row['state']}", [
        _from(row), row["purpose"], legs, f"last changed {shown(row['changed_at'])}", _account(row),
    ])  # fmt: skip


def _send(row: Found) -> Iterator[str]:
    how = {"proxy": "through the pass-through", "api": "told over the API"}.get(row["origin"], row["origin"])
    flagged = "passed although marketing is suppressed" if row["flagged"] else ""
    campaign = f"campaign {row['campaign']}" if row["campaign"] else ""
    until = f"worthless after {shown(row['not_after'])}" if row["not_after"] else ""
    # Of what left, it says why it cannot be sent again, which is nobody's question here.
    why = f": {row['obstacle']}" if row["state"] == REFUSED and row["obstacle"] else ""
    yield _row(row["sent_at"], f"{row['message_id'] or '(no id)'} by {row['channel']}: {row['state']}{why}", [
        _from(row), row["purpose"], campaign, how, flagged, until, _account(row),
    ])  # fmt: skip


def _report(row: Found) -> Iterator[str]:
    yield _row(row["event_at"], f"{row['message_id'] or '(no message)'} by {row['channel']}, report {row['id']}", [
        f"received {shown(row['received_at'])}", _account(row),
    ])  # fmt: skip
    for line in report_lines({**row, "decisions": []}):
        yield f"{_INDENT}{line.label}: {_noted(line)}"
        if line.label == "report" and row["cause"]:
            yield f"{_INDENT}cause: {_cause(row['cause'])}"
    for decision in row["decisions"]:
        yield _INDENT + _decision(decision)


def _decision(row: Found) -> str:
    again = " again, by a replay" if row["replay"] else ""
    versions = f"rule {row['rule']}, policy {row['policy']}, tables {row['tables']}, decision {row['id']}"
    return f"decided {shown(row['decided_at'])}{again}: {row['reason']} ({actions(row['actions'])}; {versions})"


def _resend(row: Found) -> Iterator[str]:
    line = resend_line(row)
    yield _row(line.at or row["changed_at"], f"{row['message_id'] or '(no id)'}: {_noted(line)}", [_account(row)])
    if decision := row["decision"]:
        yield _INDENT + _decision(decision)


def _suppression(row: Found) -> Iterator[str]:
    until = f"until {shown(row['until'])}" if row["until"] else "for good"
    facts = [until, f"rule {row['rule'] or '-'}", f"origin {row['origin']}", counted(row["times"], "time")]
    yield _row(row["since"], f"{row['id']}: {row['state']}, {scope(row)}, {_cause(row['cause'])}", [
        *facts, _account(row),
    ])  # fmt: skip
    yield f"{_INDENT}evidence: {_evidence(row['evidence']) or 'none is kept'}"
    for change in row["audit"]:
        here = "  <-- HERE" if str(change["id"]) == row["trail"]["at"] else ""
        what = f"{change['change']} by {change['who']}: {change['detail'] or '-'}"
        yield f"{_INDENT}{shown(change['at'])}  {what}  [{change['hash'].hex()[:16]}]{here}"
    trail = row["trail"]
    if trail["cut"]:
        yield f"{_INDENT}{cut_words(trail['cut'], trail['cut_until'])}"
    if trail["whole"]:
        yield f"{_INDENT}chain of {counted(trail['changes'], 'change')} whole, head {trail['head']}"
    else:
        yield f"{_INDENT}CHAIN BROKEN: {trail['problem']}; {counted(trail['changes'], 'change')} found"


def _evidence(kept: Found) -> str:
    told = {name: code(kept, name) if isinstance(value, dict) else value for name, value in kept.items()}
    facts = [f"{name.replace('_', ' ')} {value}" for name, value in told.items() if value and name != "reason"]
    return " ".join(part for part in (kept.get("reason", ""), f"({', '.join(facts)})" if facts else "") if part)


def _request(row: Found) -> Iterator[str]:
    decided = f"{row['state']} {shown(row['decided_at'])} by {row['decided_by']}" if row["decided_at"] else "open"
    yield _row(row["asked_at"], f"{row['who']} asked to lift {row['suppression_id']}: {row['reason']}", [
        decided, _account(row),
    ])  # fmt: skip


def _protection(row: Found) -> Iterator[str]:
    until = f"until {shown(row['until'])}" if row["until"] else "until somebody ends it"
    yield _row(row["since"], f"protected by {row['who']} {until}: {row['reason'] or '-'}", [_account(row)])


def _record(row: Found) -> Iterator[str]:
    text, facts = lists.told(row)
    yield _row(lists.when(row), text, [*facts, _account(row)])


_SECTIONS: Final[tuple[tuple[str, str, Callable[[Found], Iterator[str]]], ...]] = (
    ("What was sent: the register of sends", "sends", _send),
    ("Messages and what became of them", "messages", _message),
    ("What came back, and what was decided on it", "reports", _report),
    ("Resends", "resends", _resend),
    ("Suppressions: opt-outs and others, with every change", "suppressions", _suppression),
    ("Lifts that were asked for", "lift_requests", _request),
    ("Protections", "protections", _protection),
    ("Infobip's lists: what was seen, put there and taken off", "list_records", _record),
)


def _verdict(pack: Found) -> Iterator[str]:
    broken = [row["id"] for row in pack["suppressions"] if not row["trail"]["whole"]]
    count = counted(len(pack["suppressions"]), "trail")
    yield f"AUDIT TRAIL: {count} checked, " + (f"BROKEN: {', '.join(map(str, broken))}" if broken else "none broken")


def _row(at: Any, text: str, more: list[Any]) -> str:
    return f"{shown(at)}  {text}; {', '.join(part for part in more if part)}"


def _noted(line: Line) -> str:
    return f"{line.text} ({line.note})" if line.note else line.text


def _cause(cause: str) -> str:
    return f"{cause} ({CAUSES[cause].summary})" if cause in CAUSES else cause


def _from(row: Found) -> str:
    return f"from {row['sender']}" if row["sender"] else ""


def _account(row: Found) -> str:
    return f"account {row['account']}"
