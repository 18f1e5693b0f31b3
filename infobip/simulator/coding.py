"""The codes of a report, found in the shipped tables by id or name, and as Infobip writes them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from codes import Row, shipped
from codes.channels import FAMILIES
from codes.suggest import did_you_mean

Wish = int | str
"""A code as a scenario names it: its id or its name."""

DELIVERED: Final = "DELIVERED_TO_HANDSET"
NO_ERROR: Final = "NO_ERROR"
# The status that goes with an error of this cause; other errors are those of an undelivered message.
_STATUS_OF: Final = {"delivered": DELIVERED, "pending": "PENDING_ENROUTE", "expired": "EXPIRED_EXPIRED"}
_FAILED: Final = "UNDELIVERABLE_NOT_DELIVERED"
# A delivered call says how it was answered (INBOUND facts 2).
_ANSWERED: Final = "VOICE_ANSWERED"


class UnknownCode(ValueError):
    """The tables hold no such code; the text says what to write instead."""


@lru_cache(maxsize=4096)
def find(kind: str, wish: Wish, channel: str) -> Row:
    """Return the row of a code: of the channel's own families, else the general one, else any other.

    `kind` is status or error. Raises `UnknownCode`.
    """
    rows = [row for row in shipped().tables.rows if row.kind == kind]
    named = [row for row in rows if _is_meant(row, wish)]
    if not named:
        hint = did_you_mean(str(wish).upper(), {row.name for row in rows}) if isinstance(wish, str) else ""
        near = hint if hint.startswith("Did") else "`dlr codes` lists them."
        raise UnknownCode(f"the tables hold no {kind} {wish!r}. {near}")
    own = FAMILIES.get(channel, ((), ()))[0 if kind == "status" else 1]
    order = (*own, "general")

    def rank(row: Row) -> tuple[int, bool]:
        # An older name of one code may be the present name of another.
        is_alias = isinstance(wish, str) and row.name.casefold() != wish.casefold()
        return (order.index(row.family) if row.family in order else len(order)), is_alias

    return min(named, key=rank)


def pair(status: Wish | None, error: Wish | None, channel: str) -> tuple[Row, Row]:
    """Return the status and the error of a report, each filled in from the other where it is not given."""
    status_row = find("status", status, channel) if status is not None else None
    if error is not None:
        error_row = find("error", error, channel)
        return status_row or find("status", _STATUS_OF.get(error_row.cause, _FAILED), channel), error_row
    status_row = status_row or find("status", DELIVERED, channel)
    answered = channel == "voice" and status_row.cause == "delivered"
    return status_row, find("error", _ANSWERED if answered else NO_ERROR, channel)


def is_intermediate(status: Row) -> bool:
    """Whether a report with this status comes only for who asked for intermediate reports."""
    return status.group == "PENDING"


def written(row: Row, name: str = "") -> dict[str, Any]:
    """Return a status or error object. `name` stands for the table's, where an endpoint has one of its own."""
    found: Mapping[str, Any] = {
        "groupId": row.group_id,
        "groupName": row.group or None,
        "id": row.id,
        "name": name or row.name,
        "description": row.name.removeprefix("EC_").replace("_", " ").capitalize(),
        "permanent": row.permanent if row.kind == "error" else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _is_meant(row: Row, wish: Wish) -> bool:
    text = str(wish).strip()
    if text.isdecimal():
        return row.id == int(text)
    return text.casefold() in {name.casefold() for name in (row.name, *row.aliases)}
