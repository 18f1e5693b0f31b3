"""How addresses look wherever a person may see them without having asked for them."""

import re
from typing import Final

# A local part has at most 64 characters (RFC 5321); without that bound a long text without any @ would take the
# square of its length.
_EMAIL: Final = re.compile(r"[^\s@%<>\"',;=/]{1,64}+(?:@|%40)([\w.-]{1,253}\.\w{1,63})")
# Runs of digits as long as phone numbers, with or without a plus; shorter ones are codes, counts and years.
_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9.])(?:\+|%2B)?\d{7,20}(?![A-Za-z0-9])")


def mask(address: str) -> str:
    """Return `address` with only what tells nobody who it is: `…23` of a number, `…@example.com` of an e-mail."""
    if "@" in address:
        return f"…@{address.rpartition('@')[2]}"
    return f"…{address[-2:]}" if len(address) > 2 else "…"


def mask_text(text: str) -> str:
    """Return `text` with every e-mail address and phone number in it masked."""
    hidden = _EMAIL.sub(lambda found: f"…@{found[1]}", text)
    return _NUMBER.sub(lambda found: mask(found[0]), hidden)
