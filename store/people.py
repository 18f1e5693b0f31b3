"""People's addresses: sealed, found by their keyed hash.

An address lies in `addresses`. Of most people nothing is kept but reports that something arrived: these hold the
address themselves. One tree in the order of hashes less is a tenth of the pages that a report writes on SQLite
(bench/README.md), and the address goes with its reports. Whoever wants an address asks here; joins with `addresses`
are for those who failed, whose address always lies there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from config.mask import tail
from reports import mail_domain
from store.driver import fetch
from store.moments import from_ms
from store.parts import in_parts
from store.schema import addresses
from store.vault import Vault
from store.writes import Line, insert_lines

Address = tuple[str, int]
"""A normalised address, and when it was seen, in milliseconds."""
IN_REPORT: Final = ("sealed", "hint")
"""The columns of a report that may hold its recipient's address."""
_COLUMNS: Final = ("hash", "sealed", "tail", "domain", "seen_at")
_LAST: Final = (
    "SELECT sealed, hint, received_at FROM reports WHERE recipient = {mark} AND sealed IS NOT NULL"
    " ORDER BY received_at DESC LIMIT 1"
)
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
    for number in [number for number in wanted if number not in found]:
        reported = _in_last_report(connection, number)
        if reported is not None:
            found[number] = reported
    return found


def opened(connection: Connection, vault: Vault, hashes: Iterable[bytes]) -> dict[bytes, str]:
    """Return the addresses of these hashes, normalised, as far as they are kept."""
    kept = known(connection, hashes).items()
    return {number: vault.open(row["sealed"]).decode("utf-8", "surrogatepass") for number, row in kept}


def address_of(connection: Connection, vault: Vault, hashed: bytes) -> str:
    """Return the address of a hash, normalised; empty where it is not kept."""
    return opened(connection, vault, [hashed]).get(hashed, "")


def _in_last_report(connection: Connection, number: bytes) -> dict[str, Any] | None:
    """Return the address as the last report that holds it has it. One by one: somebody may have very many reports."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    rows = fetch(connection, _LAST.format(mark=mark), (number,))
    if not rows:
        return None
    hint = rows[0].hint
    is_mail = hint.startswith(_AT)
    return {
        "hash": number,
        "sealed": bytes(rows[0].sealed),
        "tail": "" if is_mail else hint,
        "domain": hint.removeprefix(_AT) if is_mail else "",
        "seen_at": from_ms(rows[0].received_at),
    }


def _hint(address: str) -> str:
    domain = mail_domain(address)
    return f"{_AT}{domain}"[: _LONGEST + 1] if domain else tail(address).lstrip(_AT)


def _encoded(address: str) -> bytes:
    return address.encode("utf-8", "surrogatepass")
