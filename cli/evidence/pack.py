"""What an evidence pack holds: everything of one person, by what it is, and whether the trails are whole."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from cli.message import computed_state, told_report
from cli.retries.listing import with_waits
from cli.shown import address
from cli.stored import Stored
from codes import Codes
from config.mask import mask_text
from store import evidence, people
from store.moments import from_ms
from store.views import Found

LISTS: Final = (
    "messages",
    "sends",
    "reports",
    "resends",
    "suppressions",
    "lift_requests",
    "protections",
    "list_records",
)
_INNER: Final = frozenset(
    {"key", "recipient", "message_key", "address", "scope", "owner", "lease_until", "is_open", "sent_by"}
)
# What people typed: it may name anybody.
_TYPED: Final = frozenset({"detail", "reason", "who", "decided_by", "by", "note"})


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Gathers what is known of one person."""

    at: Stored
    connection: Connection
    codes: Codes
    now: datetime
    reveal: bool

    def gather(self, hashes: dict[str, bytes]) -> Found:
        """Return `accounts` that know the person, and all of `LISTS`; `hashes` are those by account."""
        pack: Found = {"accounts": [], **{name: [] for name in LISTS}}
        for account, person in hashes.items():
            found = self._of(account, person)
            known = people.known(self.connection, [person])
            if not known and not any(found.values()):
                continue
            shown = address(known, person, self.at if self.reveal else None)
            seen = known[person]["seen_at"] if person in known else None
            pack["accounts"].append({"account": account, "recipient": shown, "last_seen_at": seen})
            for name in LISTS:
                pack[name] += [self._told(row) for row in found[name]]
        return pack

    def _of(self, account: str, person: bytes) -> dict[str, list[Found]]:
        messages = evidence.messages_to(self.connection, person)
        sends = evidence.sends_to(self.connection, person)
        resends = evidence.resends_to(self.connection, person)
        with_waits(self.connection, resends, self.now)
        keys = sorted({row["key"] for row in (*messages, *sends)})
        names = {row["key"]: row["message_id"] for row in (*sends, *messages)}
        reports = evidence.reports_about(self.connection, person, keys)
        entries = evidence.suppressions_of(self.connection, person)
        planned: dict[bytes, list[Found]] = {}
        for resend in resends:
            planned.setdefault(resend["message_key"], []).append(resend)
        return {
            "messages": [_message(row, planned.get(row["key"], [])) for row in messages],
            "sends": sends,
            "reports": [
                {
                    "account": account,
                    "message_id": names.get(row["message_key"], row["facts"].get("message_id", "")),
                    **told_report(self.codes, row),
                }
                for row in reports
            ],
            "resends": [{**row, "channel": row["channel"] or row["sent_by"] or ""} for row in resends],
            "suppressions": [_entry(row) for row in entries],
            "lift_requests": [
                {"account": account, **row}
                for row in evidence.lift_requests_of(self.connection, [row["id"] for row in entries])
            ],
            "protections": evidence.protections_of(self.connection, person),
            "list_records": evidence.list_records_of(self.connection, person),
        }

    def _told(self, row: Found) -> Found:
        kept = {name: value for name, value in row.items() if name not in _INNER}
        return kept if self.reveal else masked(kept)


def masked(value: Any, name: str = "") -> Any:
    """Return a value with the addresses masked in what people typed; ids, codes and hashes stay as they are."""
    if isinstance(value, dict):
        return {inner: masked(one, inner) for inner, one in value.items()}
    if isinstance(value, list):
        return [masked(one, name) for one in value]
    return mask_text(value) if isinstance(value, str) and name in _TYPED else value


def _message(row: Found, resends: list[Found]) -> Found:
    legs = [{"leg": name, "state": state, "at": from_ms(at)} for name, (state, at) in row["legs"].items()]
    # A message without an id stands for those that a seen report told of; its sender is a key then.
    sender = row["sender"] if row["message_id"] else ""
    return {**row, "sender": sender, "legs": legs, "state": computed_state(row["state"], resends)}


def _entry(row: Found) -> Found:
    verdict = row.pop("verdict")
    trail = {
        "whole": not verdict.problem,
        "changes": verdict.rows,
        "head": verdict.head.hex(),
        "problem": verdict.problem,
        "at": str(verdict.at) if verdict.at else "",
        "cut": verdict.cut,
        "cut_until": verdict.cut_until,
    }
    row.pop("audit_head")
    return {**row, "trail": trail}
