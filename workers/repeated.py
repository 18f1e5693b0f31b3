"""Which reports of a slice are repetitions: those have had their effects."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from store import ledger
from workers.moves import Known
from workers.prepare import Prepared


def never_seen(
    connection: Connection, items: Sequence[Prepared], named_by: Sequence[bytes], known: Known, now: datetime
) -> list[Prepared]:
    """Return the items that were never seen, each once, and let them be recognised from now on.

    `named_by` are the keys that the items came with: those of resends may lead to other messages since. `known` are
    the messages of these keys and of the items' own. A report that makes its message known is remembered beside it, as
    nearly all are; of two workers that meet it at once the second cannot write the message, and finds it then.
    """
    once: dict[tuple[str, bytes], Prepared] = {}
    named: set[bytes] = set()
    asked, unknown = [], []
    for item, its_own in zip(items, named_by, strict=True):
        key, mark = item.message_key, item.fingerprint
        message, named_first = known.get(key), known.get(its_own)
        if message is not None and message.fingerprint == mark:
            continue
        if named_first is not None and named_first.fingerprint == mark:
            continue
        name = (item.report.account, mark)
        if name in once:
            continue
        once[name] = item
        if message is not None or key in named or not item.makes_known:
            asked.append(name)
        else:
            unknown.append(name)
        named.update(item.message_keys)
    repeated = (set(asked) - ledger.unseen(connection, asked, now)) | ledger.seen(connection, unknown)
    return [item for name, item in once.items() if name not in repeated] if repeated else list(once.values())
