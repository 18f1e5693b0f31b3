"""How proposed resends stand beside proposed suppressions in `dlr proposals`."""

from typing import Any, Final

from sqlalchemy import Connection

from cli.listed import with_addresses
from cli.moments import shown
from store import proposed_resends
from store.views import Found

KIND: Final = "resend"
# What is internal to the table, as `dlr retries list` leaves it out.
_INNER: Final = ("owner", "lease_until", "sent_by")


def look(connection: Connection, limit: int) -> list[Found]:
    """Return the proposed resends as `dlr retries list` shows resends, each with the `kind`."""
    found = proposed_resends.found(connection, limit)
    with_addresses(connection, found, "recipient")
    for row in found:
        row["kind"] = KIND
        row["channel"] = row["channel"] or row["sent_by"] or ""
        for name in _INNER:
            row.pop(name)
    return found


def counts(connection: Connection) -> list[tuple[str, str, int]]:
    """Return (rule, `resend`, how many) of what is proposed."""
    return [(rule, KIND, count) for rule, count in proposed_resends.counts(connection)]


def cells(row: Found) -> tuple[Any, ...]:
    """Return the columns of a resend, beside those of suppressions: what it covers is the message."""
    what = f"resend {row['attempt']} of {row['message_id'] or 'a message without id'} by {row['channel']}"
    return (row["id"], row["recipient"], KIND, what, shown(row["due_at"]), shown(row["give_up_at"]), row["rule"])
