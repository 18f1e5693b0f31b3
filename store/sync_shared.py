"""Accounts here that are one account at Infobip share its lists: what one of them no longer asks for, another may.

Infobip keeps such a record once, whoever asked for it. So before it is taken off for one account, it is looked whether
another asks for it; then that one has it from now on, as if its own request had made it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from store import listed as rows
from store import sync_runs
from store.listed import ADD, THEIRS, THERE, VERIFIED, Job
from store.sync_seen import known
from store.vault import Vault

ANOTHERS: Final = "another account here asks for it"


def shared(
    connection: Connection, vault: Vault, account: str, of_list: str, jobs: Sequence[Job]
) -> list[tuple[Any, Any]]:
    """Return the rows that another account asks for, too, each with that account's own. It only reads."""
    found = []
    for other in sync_runs.every(connection):
        if other == account:
            continue
        mine = {
            (vault.hash_address(other, job.address), job.row.channel, job.row.scope, job.row.source): job.row
            for job in jobs
        }
        for row in known(connection, other, of_list, mine):
            own = mine[bytes(row.address), row.channel, row.scope, row.source]
            is_there = (row.op, row.state) in ((THEIRS, THERE), (ADD, VERIFIED))
            # Infobip names its account in each record of the Blocklist; a sender's domain and an application have one.
            if row.wanted and is_there and row.account_key == own.account_key:
                found.append((own, row))
    return found


def hand_over(connection: Connection, pairs: Sequence[tuple[Any, Any]], now: datetime) -> None:
    """Let the other accounts have the records."""
    for own, others in pairs:
        made = {"first_sent_at": own.first_sent_at, "sent_at": own.sent_at, "created_there": own.created_there}
        rows.change(connection, [others.id], now, op=ADD, state=VERIFIED, looks=0, note="", **made)
    rows.change(connection, [own.id for own, _ in pairs], now, op=THEIRS, state=THERE, looks=0, note=ANOTHERS)
