"""Remove what is stored about one person, except what keeps them from being written to again.

What stays: opt-outs, complaints, do-not-disturb and what operators entered, under the keyed hash and without evidence,
since whoever writes to them has to be told no; under the same hash what may stand on Infobip's lists, which nobody here
can take off any more, and which would otherwise be read from there as news; that some rule did something on the day of
each past decision, tied to no report; and for some days the fingerprints by which repeated reports are recognised, or a
repetition would bring all of it back.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, delete, func, or_, select, update

from codes.causes import FIRM
from store import examples, listed, typed
from store import messages as kept_messages
from store import trail_cuts as trail_ends
from store.about import ids_about
from store.ids import first_id_of
from store.moments import to_ms
from store.parts import in_parts
from store.schema import (
    addresses,
    aliases,
    contents,
    decisions,
    events,
    failure_days,
    lift_requests,
    messages,
    outbox,
    protections,
    reports,
    retries,
    sends,
    silences,
    suppression_audit,
    suppressions,
    trail_cuts,
)
from store.trail import Change, change
from store.views import Found

WHO: Final = "forget"
_REASON: Final = "Forgotten at the person's request."
_INFERRED: Final = "report"
_KEPT_CAUSES: Final = FIRM | {"recipient_blocklisted"}
_AT_ONCE: Final = 200
# As many values as a statement may well have: less often, since some of the tables are read from end to end.
_MANY: Final = 10_000
_DAY_MS: Final = 24 * 60 * 60 * 1000


def counts(connection: Connection, hashes: Sequence[bytes]) -> dict[str, int]:
    """Return how many rows name this person, by what they are."""
    columns = {
        "reports": reports.c.recipient,
        "messages": messages.c.recipient,
        "suppressions": suppressions.c.address,
        "addresses": addresses.c.hash,
    }
    found = {}
    for name, column in columns.items():
        query = select(func.count()).select_from(column.table).where(column.in_(hashes))
        found[name] = int(connection.execute(query).scalar_one())
    return found


def remove(
    connection: Connection,
    hashes: Sequence[bytes],
    masked: str,
    mentions: Callable[[str], bool],
    now: datetime,
    named: typed.Found | None = None,
) -> dict[str, int]:
    """Remove the person's rows; return how many went, by what they were.

    `masked` is how incidents show the address; `mentions` says whether a text that somebody typed names it, and
    `named` where that was found before, so that nobody waits for the looking.
    """
    done: Counter[str] = Counter()
    known = _messages_of(connection, hashes)
    registered = _theirs(connection, sends.c.key, sends.c.recipient, sends.c.key, hashes, [row.key for row in known])
    planned = connection.scalars(select(retries.c.message_key).where(retries.c.recipient.in_(hashes)))
    # A resend, or a send, may be kept for longer than what else is known of its message.
    keys = sorted({*(row.key for row in known), *registered, *planned})
    resends = _theirs(connection, retries.c.id, retries.c.recipient, retries.c.message_key, hashes, keys)
    names = _names_of(connection, hashes, known, registered, resends)
    # Looked for while the messages are there: by them their reports are found.
    numbers = ids_about(connection, keys, hashes)
    done["messages"] = kept_messages.remove(connection, keys, now)
    done["sends"] = _remove_sends(connection, hashes, registered, keys)
    done["suppressions"] = _remove_inferred(connection, hashes)
    done["protections"] = _delete(connection, protections.c.address, hashes)
    _strip_kept(connection, hashes, mentions, now)
    for part in in_parts(numbers, _AT_ONCE):
        done["decisions"] += _blur_decisions(connection, part)
    done["reports to pass on"] = _delete(connection, outbox.c.subject, numbers, outbox.c.kind == "report")
    done["reports"] = _delete(connection, reports.c.id, numbers)
    done["outgoing events"] = _remove_events(connection, hashes, keys)
    done["planned resends"] = _delete(connection, retries.c.id, resends)
    # A resend of somebody else's message may have gone to this address, by another channel.
    connection.execute(update(retries).where(retries.c.reached.in_(hashes)).values(reached=None))
    done["days of failure"] = _delete(connection, failure_days.c.address, hashes)
    stay = [row["id"] for row in kept(connection, hashes)]
    done["records of Infobip's lists"] = listed.forget(connection, hashes, stay)
    done["addresses"] = _delete(connection, addresses.c.hash, hashes)
    done["examples in incidents"] = examples.remove(connection, names, masked)
    named = typed.find(connection, mentions) if named is None else named
    done["texts typed by hand"] = typed.blank(connection, named, mentions, now, WHO, _REASON)
    return dict(done)


def _theirs(
    connection: Connection,
    wanted: Column[Any],
    recipient: Column[Any],
    key: Column[Any],
    hashes: Sequence[bytes],
    keys: Sequence[bytes],
) -> list[Any]:
    """Return `wanted` of the rows that are about the person or one of the messages: there may be very many of those."""
    found = set(connection.scalars(select(wanted).where(recipient.in_(hashes))))
    for part in in_parts(keys, _MANY):
        found.update(connection.scalars(select(wanted).where(key.in_(part))))
    return sorted(found)


def _names_of(
    connection: Connection,
    hashes: Sequence[bytes],
    known: Sequence[Any],
    registered: Sequence[bytes],
    resends: list[int],
) -> set[str]:
    """Return everything of the person's that an incident may have named: messages, their resends, entries."""
    names = {row.message_id for row in known}
    for part in in_parts(resends, _MANY):
        names.update(connection.scalars(select(retries.c.new_id).where(retries.c.id.in_(part))))
    for keys in in_parts(registered, _MANY):
        names.update(connection.scalars(select(sends.c.message_id).where(sends.c.key.in_(keys))))
    # A resend of somebody else's message may have gone to this address, by another channel.
    names.update(connection.scalars(select(retries.c.new_id).where(retries.c.reached.in_(hashes))))
    entries = select(suppressions.c.id).where(suppressions.c.address.in_(hashes))
    names.update(f"suppression {number}" for number in connection.scalars(entries))
    return names - {""}


def _blur_decisions(connection: Connection, report_ids: Sequence[int]) -> int:
    """Leave of decisions what is counted. Their ids and times were the report's, by which it could be told again."""
    rows = connection.execute(select(decisions).where(decisions.c.report_id.in_(report_ids))).all()
    for row in rows:
        day = row.decided_at.replace(hour=0, minute=0, second=0, microsecond=0)
        moment = day + timedelta(milliseconds=secrets.randbelow(_DAY_MS))
        did = [{name: one.get(name) for name in ("action", "rule", "mode")} for one in json.loads(row.actions)]
        values = {
            "id": first_id_of(to_ms(moment)) + secrets.randbelow(first_id_of(1)),
            "report_id": 0,
            "decided_at": moment,
            "actions": json.dumps(did),
            "reason": _REASON,
        }
        connection.execute(update(decisions).where(decisions.c.id == row.id).values(**values))
    return len(rows)


def _messages_of(connection: Connection, hashes: Sequence[bytes]) -> list[Any]:
    """Return the person's messages, those included that a seen report told of which calls the person the sender.

    Such a message is named by a row under the other side's address, which has no id and goes with it.
    """
    columns = select(messages.c.key, messages.c.message_id, messages.c.sender)
    found = list(connection.execute(columns.where(messages.c.recipient.in_(hashes))))
    others = [bytes.fromhex(row.sender) for row in found if not row.message_id]
    for part in in_parts(others, _MANY):
        found += connection.execute(columns.where(messages.c.key.in_(part)))
    for part in in_parts([row.key.hex() for row in found if row.message_id], _MANY):
        found += connection.execute(columns.where(messages.c.message_id == "", messages.c.sender.in_(part)))
    return found


def _delete(connection: Connection, column: Column[Any], values: Sequence[Any], *more: ColumnElement[bool]) -> int:
    """Delete the rows that have one of these values; return how many."""
    parts = in_parts(values, _MANY)
    return sum(connection.execute(delete(column.table).where(column.in_(part), *more)).rowcount for part in parts)


def _remove_events(connection: Connection, hashes: Sequence[bytes], keys: Sequence[bytes]) -> int:
    """Remove what endpoints were told or are still to be told of the person."""
    numbers = _theirs(connection, events.c.id, events.c.recipient, events.c.message_key, hashes, keys)
    _delete(connection, outbox.c.subject, numbers, outbox.c.kind == "forward")
    return _delete(connection, events.c.id, numbers)


def _is_kept() -> Any:
    return or_(suppressions.c.cause.in_(sorted(_KEPT_CAUSES)), suppressions.c.origin != _INFERRED)


def kept(connection: Connection, hashes: Sequence[bytes]) -> list[Found]:
    """Return the entries that stay."""
    query = select(suppressions).where(suppressions.c.address.in_(hashes), _is_kept())
    return [dict(row) for row in connection.execute(query.order_by(suppressions.c.id)).mappings()]


def _remove_sends(
    connection: Connection, hashes: Sequence[bytes], registered: Sequence[bytes], keys: Sequence[bytes]
) -> int:
    """Remove what was sent to the person from the register, with all that it said."""
    for part in in_parts(registered, _MANY):
        said = select(sends.c.content).where(sends.c.key.in_(part))
        connection.execute(delete(contents).where(contents.c.id.in_(said)))
    _delete(connection, aliases.c.message_key, keys)
    _delete(connection, silences.c.recipient, hashes)
    _delete(connection, silences.c.key, keys)
    return _delete(connection, sends.c.key, registered)


def _remove_inferred(connection: Connection, hashes: Sequence[bytes]) -> int:
    inferred = select(suppressions.c.id).where(suppressions.c.address.in_(hashes), ~_is_kept())
    numbers = list(connection.scalars(inferred))
    for table in (suppression_audit, trail_cuts, lift_requests):
        _delete(connection, table.c.suppression_id, numbers)
    return _delete(connection, suppressions.c.id, numbers)


def _strip_kept(
    connection: Connection, hashes: Sequence[bytes], mentions: Callable[[str], bool], now: datetime
) -> None:
    numbers = [row["id"] for row in kept(connection, hashes)]
    if numbers:
        trail_ends.cut_mentions(connection, numbers, mentions, now, WHO)
        # People write names into reasons; who asked and who agreed stays.
        asked = update(lift_requests).where(lift_requests.c.suppression_id.in_(numbers))
        connection.execute(asked.values(reason=_REASON))
        bare = json.dumps({"reason": _REASON})
        changes = [Change(number, "evidence removed", _REASON, {"evidence": bare}) for number in numbers]
        change(connection, changes, now, WHO)
