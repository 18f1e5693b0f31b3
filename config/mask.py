"""How addresses look wherever a person may see them without having asked for them."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

# A local part has at most 64 characters (RFC 5321); without that bound a long text without any @ would take the
# square of its length.
_EMAIL: Final = re.compile(r"[^\s@%<>\"',;=/]{1,64}+(?:@|%40)([\w.-]{1,253}\.\w{1,63})")

# What people put between the digits of a number, as it is and as it stands in URLs.
_BETWEEN: Final = r"(?:[ \t\u00a0\u2009\u202f().+/\-\u2010\u2011\u2013]|%20|%28|%29|%2D)"
_DAY: Final = r"(?:(?:19|20)\d\d([-./])(?:0[1-9]|1[0-2])\%d(?:0[1-9]|[12]\d|3[01])(?!\d))"
_DAY_LAST: Final = r"(?:(?:0?[1-9]|[12]\d|3[01])([-./])(?:0?[1-9]|1[0-2])\%d(?:19|20)\d\d(?!\d))"
_TIME: Final = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?!\d)"
_BYTE: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_HOST: Final = rf"(?<![\d.]){_BYTE}(?:\.{_BYTE}){{3}}(?![\d.])(?::\d{{1,5}}(?!\d))?"
# Runs of digits that are no numbers of people, however long: each would otherwise look like one.
_OTHER: Final = "|".join(
    (
        r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])",  # a UUID
        rf"(?<!\d)(?:{_DAY % 1}|{_DAY_LAST % 2})(?:[T ]{_TIME}(?: ?(?:Z|[+-]\d\d:?\d\d(?!\d)))?)?",
        rf"(?<!\d){_TIME}",
        _HOST,
        r"(?<!\d)[245]\d\d[ -][245]\.\d{1,3}\.\d{1,3}(?!\d)",  # an SMTP answer
        r"(?<![\d.])(?:0\.\d{1,20}|[1-9]\d{0,5}\.\d{1,3}|[1-9]\d{0,2}\.\d{4,6})(?![ .()/-]?\d)",  # an amount
    )
)
# A number: digits with at most three characters between them. A date after it is none of its digits.
_NUMBER: Final = (
    r"(?:(?<![A-Za-z0-9.%])|(?<=%[0-9A-Fa-f]{2}))(?:\+|%2B)?\(?"
    rf"(?P<number>\d++(?:{_BETWEEN}{{1,3}}+(?!{_DAY % 4}|{_DAY_LAST % 5}|{_HOST}|{_TIME})\d++)*+)"
)
# Only where one of them can begin is it worth while to try them all.
_BEGINS: Final = r"(?=[0-9+(%a-fA-F])(?:(?<!\d)|(?<=%[0-9A-Fa-f]\d))"
_EITHER: Final = re.compile(rf"{_BEGINS}(?:{_OTHER}|{_NUMBER})")
_ENOUGH: Final = re.compile(r"\d(?:\D{0,3}\d){6}")
_GROUP: Final = re.compile(r"%[0-9A-F]{2}|(\d+)")
_ID_GOES_ON: Final = re.compile(r"(?!x\d)[A-Za-z]")
# As many digits as numbers have; fewer are codes, counts and years. From `_WHOLE` on a run is a number by itself.
_FEWEST: Final = 7
_WHOLE: Final = 10
_MOST: Final = 20
_PADDING: Final = "=._-~+/ "


def mask(address: str) -> str:
    """Return `address` with only what tells nobody who it is: `…23` of a number, `…@example.com` of an e-mail."""
    if "@" in address:
        return f"…@{address.rpartition('@')[2]}"
    return f"…{tail(address)}"


def tail(address: str) -> str:
    """Return the two last characters that tell something; nothing of an address that hardly has more than these."""
    # Ids of chat channels are often Base64, and end in `==` all alike.
    core = address.rstrip(_PADDING)
    return core[-2:] if len(core) > 2 else ""


def mask_text(text: str) -> str:
    """Return `text` with every e-mail address and phone number in it masked, however the number is written.

    Dates, times, UUIDs, amounts and addresses of hosts stay as they are. Takes time in proportion to the length.
    """
    # Most texts have neither, and are told so much sooner.
    hidden = _EMAIL.sub(lambda found: f"…@{found[1]}", text) if "@" in text or "%40" in text else text
    return _EITHER.sub(_masked, hidden) if _ENOUGH.search(hidden) else hidden


def _masked(found: re.Match[str]) -> str:
    """Return groups of digits that may be one number, several, or none, with what is long enough to be one masked."""
    if found["number"] is None:
        return found[0]
    text = found[0]
    groups = [part for part in _GROUP.finditer(text, found.start("number") - found.start()) if part[1]]
    if _ID_GOES_ON.match(found.string, found.end()) and not text.strip("0123456789-"):
        return text
    # A plus or an opening bracket is the number's own, unless the bracket holds it.
    before = "" if text[0] != "(" or ")" in text else "("
    done, rest = [before], len(before)
    for number in _numbers(groups):
        start = rest if number[0] is groups[0] else number[0].start()
        done += (text[rest:start], mask("".join(group[1] for group in number)))
        rest = number[-1].end()
    return "".join((*done, text[rest:]))


def _numbers(groups: Sequence[re.Match[str]]) -> Iterator[Sequence[re.Match[str]]]:
    """Yield the groups that are a number together: a long one by itself, and short ones as far as they follow."""
    for is_whole, some in groupby(groups, key=lambda group: len(group[1]) >= _WHOLE):
        parts = list(some)
        for number in [[part] for part in parts] if is_whole else [parts]:
            digits = sum(len(group[1]) for group in number)
            if digits >= _FEWEST and not (is_whole and digits > _MOST):
                yield number
