"""The marshmallow fields that schemas of items are made of.

Infobip writes numbers as text (XML, forms), text as numbers (old e-mail events) and adds values at any time, so fields
accept every spelling of the same thing. They come in two tempers: strict ones refuse what would change the meaning of
an item, mild ones drop what they can't read, because the raw item keeps it. `typed` is what the fast decoder generated
from the schema (`typed.py`) accepts for the field; it may be narrower than the field, never wider.
"""

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, Final

from marshmallow import fields
from msgspec import Meta

_INT32: Final = 2**31
_WHOLE: Final = re.compile(r"[+-]?\d{1,10}")
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}

Int32 = Annotated[int, Meta(ge=-_INT32, le=_INT32 - 1)]


def kind_of(value: Any) -> str:
    """Return what JSON calls `value`, for error messages: never the value itself, which may be an address."""
    for types, name in (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "text"),
        (Mapping, "an object"),
        ((list, tuple), "a list"),
    ):
        if isinstance(value, types):
            return name
    return "null"


class WireField(fields.Field[Any]):
    """A field whose absence, `null` and emptiness all mean the same: nothing was said."""

    typed: Any = Any

    def __init__(self, data_key: str | None = None) -> None:
        super().__init__(data_key=data_key, allow_none=True)


class Anything(WireField):
    """Any value at all, untouched: dates (see `dates.py`) and free-form content."""


class Text(WireField):
    """Text whose value matters, such as an id or an address. Numbers become their digits."""

    typed = str | None
    default_error_messages = {"invalid": "expected text, found {found}"}  # noqa: RUF012 - marshmallow's own idiom

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = number_text(value)
        if text is None:
            raise self.make_error("invalid", found=kind_of(value))
        return text


class TextOrNumber(Text):
    """`Text` that one product writes as a number as a matter of course: the fast decoder passes numbers, too."""

    typed = str | int | None


class MildText(WireField):
    """Text of lesser weight. Lists and objects become JSON: Open Channel sends callbackData as an object."""

    typed = str | None

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = number_text(value)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if text is None else text


class Whole(WireField):
    """A whole number of 32 bits whose value matters, such as a status id."""

    typed = Int32 | None
    default_error_messages = {"invalid": "expected a whole number, found {found}"}  # noqa: RUF012 - as above

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int | None:
        number = whole(value)
        if number is None and value != "":
            raise self.make_error("invalid", found=kind_of(value))
        return number


class Count(WireField):
    """A whole number of lesser weight; unreadable ones are dropped."""

    typed = Int32 | None

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int | None:
        return whole(value)


class Amount(WireField):
    """Money or another decimal, as it came; see `assemble.decimal_text`. Unreadable ones are dropped."""

    typed = int | float | str | None

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float | str | None:
        return value if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None


class Flag(WireField):
    """True or false; unreadable ones are dropped."""

    typed = bool | None

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool | None:
        return _TRUTH.get(str(value).strip().lower())


def number_text(value: Any) -> str | None:
    """Return text as it is and a number as its digits, `None` for anything else. 1599542877689.0 has no `.0`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(int(value)) if isfinite(value) and value == int(value) else str(value)


def whole(value: Any) -> int | None:
    """Return `value` as a whole number of 32 bits, or None."""
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_INT32 <= value < _INT32 else None
