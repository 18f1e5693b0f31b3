"""The status or error object of a report, as Infobip sent it."""

from collections.abc import Mapping
from typing import NamedTuple, Self

_FLAGS = {"true": True, "false": False}
# Ids have a handful of digits. A longer number is no id, and Python refuses to write or read enormous ones.
_TOO_LONG = 10**18


class CodeRef(NamedTuple):
    """One `status` or `error` object of a report, normalised but not interpreted.

    Infobip sends ids as JSON numbers or XML text, group names in either case, and may leave out any member;
    absent is `None` for numbers and flags and the empty string for texts. A tuple, since it is the key of the
    look-up's cache and is hashed for every report.
    """

    id: int | None = None
    name: str = ""
    group_id: int | None = None
    group: str = ""
    permanent: bool | None = None
    """The report's own flag, kept as a witness. It is a hint only: every voice and push error says `true`."""

    @classmethod
    def of(cls, value: object) -> Self | None:
        """Read a wire object of any quality; `None` where it holds no code. Never raises."""
        if not isinstance(value, Mapping):
            return None
        flag = value.get("permanent")
        ref = cls(
            id=_number(value.get("id")),
            name=_text(value.get("name")),
            group_id=_number(value.get("groupId")),
            group=_text(value.get("groupName")),
            permanent=flag if isinstance(flag, bool) else _FLAGS.get(_text(flag).lower()),
        )
        return None if ref == cls() else ref

    @property
    def names_a_code(self) -> bool:
        """Whether it tells more than a group."""
        return self.id is not None or bool(self.name)

    def __str__(self) -> str:
        """Return the code as a person writes it: `27 EC_ABSENT_SUBSCRIBER`."""
        number = "" if self.id is None else str(self.id)
        return " ".join(part for part in (number, self.name) if part) or self.group or "none"


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if -_TOO_LONG < value < _TOO_LONG else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _TOO_LONG else None
    text = _text(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
