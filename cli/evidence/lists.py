"""Records of Infobip's lists about one person, for people to read."""

from typing import Final

from cli.moments import shown
from store.listed import ADD, DOUBTED, GONE, MISSING, REFUSED, REMOVE, SENT, THEIRS, THERE, TO_PUSH, VERIFIED
from store.views import Found

_WORDS: Final = {
    (ADD, TO_PUSH): "to be put there by us",
    (ADD, SENT): "asked for by us, and not seen there yet",
    (ADD, VERIFIED): "put there by us, and seen there",
    (ADD, MISSING): "accepted from us, and not seen there",
    (ADD, REFUSED): "refused to us",
    (REMOVE, TO_PUSH): "to be taken off by us",
    (REMOVE, SENT): "asked to go by us, and not seen gone yet",
    (REMOVE, VERIFIED): "taken off by us, and seen gone",
    (REMOVE, MISSING): "asked to go by us, and still seen there",
    (REMOVE, REFUSED): "not taken off, for that was refused to us",
    (THEIRS, THERE): "Infobip's own, seen there",
    (THEIRS, DOUBTED): "Infobip's own, not seen the last time, and looked for",
    (THEIRS, GONE): "Infobip's own, seen there once and gone",
}


def words_of(op: str, state: str) -> str:
    """Return what is known of a record, in words."""
    return _WORDS.get((op, state), f"{op} {state}".strip())


def when(row: Found) -> int:
    """Return since when anything is known of a record."""
    return row["first_sent_at"] or row["created_there"] or row["changed_at"]  # type: ignore[no-any-return]


def told(row: Found) -> tuple[str, list[str]]:
    """Return what a record says, and its particulars."""
    where = " ".join(part for part in (row["channel"] or "every channel", row["list_scope"]) if part)
    asked = f"asked first {shown(row['first_sent_at'])}" if row["first_sent_at"] else ""
    last = f"asked last {shown(row['sent_at'])}" if row["sent_at"] not in (None, row["first_sent_at"]) else ""
    made = f"made there {shown(row['created_there'])}" if row["created_there"] else ""
    entry = f"for suppression {row['suppression_id']}" if row["suppression_id"] else ""
    until = f"until {shown(row['until'])}" if row["until"] else ""
    known = f"known so since {shown(row['changed_at'])}"
    facts = [f"source {row['source']}" if row["source"] else "", asked, last, made, entry, until, known, row["note"]]
    return f"{row['list']}, {where}: {words_of(row['op'], row['state'])}", facts
