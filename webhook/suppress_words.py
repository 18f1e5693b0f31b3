"""The words that entries made by people and applications may have."""

from typing import Final

from codes import CAUSES
from codes.causes import Blame
from codes.channels import AUTO, CHANNELS, UNKNOWN
from store.entering import BY_HAND

SENT_ON: Final = tuple(
    sorted(CHANNELS - {AUTO, UNKNOWN, "number-lookup", "mobile-identity", "flow", "live-chat", "people", "blocklist"})
)
"""Channels that something is sent on."""
_BLAMED: Final = (Blame.PERSON, Blame.ADDRESS)
CAUSES_BY_HAND: Final = (BY_HAND, *sorted(name for name, cause in CAUSES.items() if cause.blame in _BLAMED))
PURPOSES_OF_ENTRIES: Final = ("all", "marketing")


def cause_of(word: str) -> str | None:
    """Return the cause that a word names, with or without `recipient_` before it; nothing where it names none."""
    return next((name for name in (word, f"recipient_{word}") if name in CAUSES_BY_HAND), None)
