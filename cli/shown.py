"""How rows are shown: addresses masked unless asked for, codes and actions in words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cli.moments import iso, shown
from cli.stored import Stored
from policy.durations import in_words
from store.moments import from_ms
from store.views import Found

FORGOTTEN = "(forgotten)"
# Moments inside of JSON that is kept as a text: as milliseconds, and as texts in another form than the answers'.
_MOMENTS = frozenset({"sent_at", "seen_at"})
_TEXTS = ("at", "since", "until")
_GROUP = "held_by"
_BOOLEANS = frozenset({"is_open", "is_final", "replay"})


def address(known: Mapping[bytes, Found], number: bytes, reveal: Stored | None = None) -> str:
    """Return the address of a hash: masked, or in clear with `reveal`, or a word where it is no longer kept."""
    if not number:
        return ""
    row = known.get(number)
    if row is None:
        return FORGOTTEN
    if reveal is not None:
        return reveal.vault.open(row["sealed"]).decode("utf-8", "surrogatepass")
    return f"…@{row['domain']}" if row["domain"] else f"…{row['tail']}"


def code(facts: Mapping[str, Any], kind: str) -> str:
    """Return a report's status or error as a person writes it: `27 EC_ABSENT_SUBSCRIBER`."""
    ref = facts.get(kind) or {}
    words = [str(ref[name]) for name in ("id", "name") if ref.get(name) not in (None, "")]
    return " ".join(words) or str(ref.get("group", ""))


def price(facts: Mapping[str, Any]) -> str:
    """Return a report's price with its currency, where it has one worth showing."""
    amount = str(facts.get("price", ""))
    currency = str(facts.get("currency", ""))
    return " ".join(part for part in (amount, currency if currency != "UNKNOWN" else "") if part)


def actions(made: list[dict[str, Any]]) -> str:
    """Return a decision's actions in a few words."""
    return ", ".join(_action(action) for action in made)


def _action(action: Mapping[str, Any]) -> str:
    name, mode = str(action.get("action", "")), str(action.get("mode", ""))
    return name if name == "ignore" or mode in ("", "act") else f"{name} ({mode})"


def scope(row: Mapping[str, Any]) -> str:
    """Return what a suppression covers."""
    parts = [f"{name} {row[name]}" for name in ("channel", "sender", "campaign") if row[name]]
    whole = " and ".join(parts) or "every channel"
    return f"{whole}, {row['purpose']} only" if row["purpose"] not in ("", "all") else whole


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago or ahead a moment is, roughly."""
    seconds = abs((now - moment).total_seconds())
    for size in (86400, 3600, 60):
        if seconds >= size:
            return in_words(timedelta(seconds=int(seconds // size) * size))
    return in_words(timedelta(seconds=int(seconds)))


def plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a report with their moments as such: they are stored as milliseconds."""
    return {name: from_ms(value) if name in _MOMENTS else value for name, value in facts.items()}


def plain(value: Any) -> Any:
    """Return a value as JSON has it: times as text in UTC, truths as such, objects as objects.

    Ids are text, too, since JavaScript would round numbers of 63 bits.
    """
    if isinstance(value, Mapping):
        return {name: _member(name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return iso(value)
    return value.hex() if isinstance(value, bytes) else value


def _member(name: str, value: Any) -> Any:
    if name in _MOMENTS and isinstance(value, int):
        return iso(from_ms(value))
    if isinstance(value, str) and name.rpartition("_")[2] in _TEXTS:
        return _in_our_form(value)
    if name in _BOOLEANS and isinstance(value, int):
        # What is over has its own id there, so that many may be over and one may be open.
        return value == 1
    if name == _GROUP and isinstance(value, int):
        return str(value) if value >= 2**31 else None  # below are marks of ours, such as that a person decided
    is_id = (name == "id" or name.endswith("_id")) and isinstance(value, int) and not isinstance(value, bool)
    # Infobip's own ids are small, and numbers in its documentation.
    return str(value) if is_id and value >= 2**31 else plain(value)


def _in_our_form(text: str) -> str | None:
    try:
        return iso(datetime.fromisoformat(text))
    except ValueError:
        return text


def cut_words(count: int, until: datetime) -> str:
    """Return in words that a trail's beginning is kept no longer, and what that means for its chain."""
    what = "1 earlier change" if count == 1 else f"{count} earlier changes"
    return (
        f"{what} until {shown(until)[:10]} were deleted some years after a lift; the chain goes on from its head then."
    )
