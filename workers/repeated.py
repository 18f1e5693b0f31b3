"""Which reports of a slice are repetitions: those have had their effects."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from store import ledger
from workers.moves import Known
from workers.prepare import Prepared


def never_seen(connection: Connection, items: Sequence[Prepared], known: Known, now: datetime) -> list[Prepared]:
    """Return the items that were never seen, each once, and have the others of that kind told apart from now on.

    `known` are the messages that the items may be about. A report that makes its message known is remembered with it,
    as nearly all are; of two workers that meet it at once the second cannot write the message, and finds it then.
    """
    once: dict[tuple[str, bytes], Prepared] = {}
    for item in items:
        message = known.get(item.message_key)
        if message is None or message.fingerprint != item.fingerprint:
            once.setdefault((item.report.account, item.fingerprint), item)
    named: set[bytes] = set()
    asked = []
    for name, item in once.items():
        key = item.message_key
        if not item.makes_known or key in known or key in named:
            asked.append(name)
        named.add(key)
        if item.other_key:
            named.add(item.other_key)
    new = ledger.unseen(connection, asked, now)
    repeated = set(asked) - new
    return [item for name, item in once.items() if name not in repeated]
