"""People's addresses: sealed, found by their keyed hash.

An address lies in `addresses`, which suppressions, resends and events are joined with. Of somebody to whom all that
was reported arrived, nothing is kept but reports: these hold the address themselves, since one tree in the order of
hashes less is a tenth of what a report costs on SQLite (bench/README.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, select

from config.mask import tail
from reports import mail_domain
from store.parts import in_parts
from store.schema import addresses, reports
from store.vault import Vault
from store.writes import Line, insert_lines

Address = tuple[str, int]
"""A normalised address, and when it was seen, in milliseconds."""
IN_REPORT: Final = ("sealed", "hint")
"""The columns of a report that may hold its recipient's address."""
_COLUMNS: Final = ("hash", "sealed", "tail", "domain", "seen_at")
_AT: Final = "@"
_LONGEST: Final = 255


def keep(connection: Connection, vault: Vault, found: Mapping[bytes, Address]) -> None:
    """Keep addresses that are not in `addresses` yet; `found` has them by their hashes."""
    ordered = sorted(found.items())
    sealed = vault.seal_all([_encoded(address) for _, (address, _) in ordered])
    lines = [
        (number, hidden, tail(address), mail_domain(address)[:_LONGEST], seen_ms)
        for (number, (address, seen_ms)), hidden in zip(ordered, sealed, strict=True)
    ]
    insert_lines(connection, addresses, _COLUMNS, lines, if_new=True)


def in_reports(vault: Vault, found: Sequence[str]) -> list[Line]:
    """Return what reports hold of these addresses, as `IN_REPORT`; of an empty one nothing."""
    sealed = iter(vault.seal_all([_encoded(address) for address in found if address]))
    return [(next(sealed), _hint(address)) if address else (None, None) for address in found]


def known(connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, dict[str, Any]]:
    """Return what is kept of these addresses: `sealed`, and `tail` and `domain`, the little of them that is in clear.

    `seen_at` is when they were seen, of those in reports the last time.
    """
    wanted = sorted({number for number in hashes if number})
    found: dict[bytes, dict[str, Any]] = {}
    for part in in_parts(wanted):
        for row in connection.execute(select(addresses).where(addresses.c.hash.in_(part))):
            found[row.hash] = dict(row._mapping)
    for part in in_parts([number for number in wanted if number not in found]):
        found.update(_in_reports(connection, part))
    return found


def address_of(connection: Connection, vault: Vault, hashed: bytes) -> str:
    """Return the address of a hash, normalised; empty where it is not kept."""
    row = known(connection, [hashed]).get(hashed)
    return vault.open(row["sealed"]).decode("utf-8", "surrogatepass") if row else ""


def _in_reports(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, dict[str, Any]]:
    newest = select(func.max(reports.c.id)).where(reports.c.recipient.in_(hashes), reports.c.sealed.is_not(None))
    newest = newest.group_by(reports.c.recipient)
    columns = (reports.c.recipient, reports.c.sealed, reports.c.hint, reports.c.received_at)
    found = {}
    for number, sealed, hint, received_at in connection.execute(select(*columns).where(reports.c.id.in_(newest))):
        is_mail = hint.startswith(_AT)
        found[number] = {
            "hash": number,
            "sealed": sealed,
            "tail": "" if is_mail else hint,
            "domain": hint.removeprefix(_AT) if is_mail else "",
            "seen_at": received_at,
        }
    return found


def _hint(address: str) -> str:
    domain = mail_domain(address)
    return f"{_AT}{domain}"[: _LONGEST + 1] if domain else tail(address).lstrip(_AT)


def _encoded(address: str) -> bytes:
    return address.encode("utf-8", "surrogatepass")
