"""Enhanced SMTP status codes (RFC 3463) inside a mailbox provider's raw answer."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from codes.table import SmtpRow

# Three numbers of which the first is 4 or 5, and neither part of an IP address nor of a longer version number.
_CODE: Final = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
# A provider's answer is a few lines; the code stands at its start. Longer texts are cut to bound the search.
_SEARCHED: Final = 2_000


def find(text: str) -> str:
    """Return the first enhanced status code of a failure in `text`, such as `5.1.1`, or the empty string."""
    found = _CODE.search(text[:_SEARCHED])
    return ".".join(found.groups()) if found else ""


def index(rows: Iterable[SmtpRow]) -> Mapping[str, SmtpRow]:
    """Return the rows by pattern."""
    return {row.pattern: row for row in rows}


def meaning_of(code: str, rows: Mapping[str, SmtpRow]) -> SmtpRow | None:
    """Return the row for `code`: the very code, else its subject (`5.1.x`), else its class (`4.x.x`), else nothing."""
    if not code:
        return None
    klass, subject, _ = code.split(".")
    return rows.get(code) or rows.get(f"{klass}.{subject}.x") or rows.get(f"{klass}.x.x")
