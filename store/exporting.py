"""The list as rows of text, a page at a time so that nobody waits for it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import select

from store import people
from store.database import Database
from store.schema import suppressions
from store.vault import Vault

COLUMNS: Final = (
    "address", "account", "channel", "sender", "campaign", "purpose", "cause", "state", "since", "until", "rule",
    "origin", "id",
)  # fmt: skip
_AT_ONCE: Final = 1_000


def rows(database: Database, vault: Vault, *, account: str, cause: str, state: str) -> Iterator[tuple[str, ...] | None]:
    """Yield the cells of `COLUMNS` for each entry, or nothing for one whose address was forgotten."""
    after = 0
    query = select(suppressions)
    if account:
        query = query.where(suppressions.c.account == account)
    if cause:
        query = query.where(suppressions.c.cause == cause)
    if state != "all":
        query = query.where(suppressions.c.state == state)
    while True:
        page = query.where(suppressions.c.id > after).order_by(suppressions.c.id).limit(_AT_ONCE)
        with database.reading() as connection:
            found = connection.execute(page).all()
            spelled = people.opened(connection, vault, (row.address for row in found))
        if not found:
            return
        after = found[-1].id
        for row in found:
            yield _cells(row, spelled[row.address]) if row.address in spelled else None


def _cells(row: Any, address: str) -> tuple[str, ...]:
    address = address.encode("utf-8", "replace").decode()
    told = (row.account, row.channel, row.sender, row.campaign, row.purpose, row.cause, row.state)
    return (address, *told, _text(row.since), _text(row.until), row.rule, row.origin, str(row.id))


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")
