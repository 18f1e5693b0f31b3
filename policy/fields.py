"""marshmallow fields of the policy language; each error ends with what to write instead."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import RAISE, Schema, ValidationError, fields

from codes.suggest import did_you_mean
from policy.durations import in_words, parse_duration

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)")


class Strict(Schema):
    """A schema that refuses keys which it does not know."""

    class Meta:
        unknown = RAISE


class Span(fields.Field[timedelta]):
    """A duration such as `15m`, with an upper bound where one is given."""

    def __init__(self, most: timedelta | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> timedelta:
        if not isinstance(value, str):
            raise ValidationError(f"{value!r} is not a duration. Write a text such as '15m' or '7d'.")
        try:
            span = parse_duration(value)
        except ValueError as error:
            raise ValidationError(f"{error}.") from None
        if not span:
            raise ValidationError(f"{value} is no time at all. Write more than 0.")
        if self.most is not None and span > self.most:
            raise ValidationError(f"{value} is more than the ceiling of {in_words(self.most)}. Write less.")
        return span


class Words(fields.Field[frozenset[str]]):
    """One word or a list of words, out of `known` where that is given."""

    def __init__(self, known: Iterable[str] | None = None, *, fold: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = frozenset(known) if known is not None else None
        self.fold = fold

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> frozenset[str]:
        words = value if isinstance(value, list) else [value]
        if not words or not all(isinstance(word, str) and word for word in words):
            raise ValidationError(f"{value!r} is not a list of texts. Write one such as ['sms'].")
        words = [word.lower() for word in words] if self.fold else words
        for word in words:
            if self.known is not None and word not in self.known:
                raise ValidationError(f"{word!r} is not known. {did_you_mean(word, self.known)}")
        return frozenset(words)


class CodeList(fields.Field[frozenset[int | str]]):
    """A list of code ids and names, each of which must be in the tables."""

    def __init__(self, known: Mapping[int | str, object], kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = known
        self.kind = kind

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> frozenset[int | str]:
        codes = value if isinstance(value, list) else [value]
        if not codes or not all(isinstance(code, int | str) for code in codes):
            raise ValidationError(
                f"{value!r} is not a list of codes. Write ids or names such as [27, 'EC_ABSENT_SUBSCRIBER']."
            )
        found: set[int | str] = set()
        for code in codes:
            key = code.lower() if isinstance(code, str) else code
            if isinstance(key, bool) or key not in self.known:
                names = [name for name in self.known if isinstance(name, str)]
                raise ValidationError(f"no {self.kind} {code!r} is in the tables. {_near(code, names)}")
            found.add(key)
        return frozenset(found)


def _near(code: object, names: list[str]) -> str:
    if isinstance(code, str):
        found = did_you_mean(code.lower(), names)
        if found.startswith("Did"):
            return found.upper().replace("DID YOU MEAN", "Did you mean").replace(" OR ", " or ")
    return "`dlr codes` lists them all; DLR_CODES_LOCAL adds your own."


class Zone(fields.Field[str]):
    """An IANA time zone, or `recipient`."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if value == "recipient":
            return str(value)
        try:
            ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = f"{value!r} is no time zone. Write a name such as Europe/Zagreb, UTC, or recipient."
            raise ValidationError(message) from None
        return str(value)


class Window(fields.Field[tuple[int, int]]):
    """A daily window such as `10:00-21:00`, in minutes after midnight."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[int, int]:
        found = _WINDOW.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError(f"{value!r} is no window. Write one such as '10:00-21:00'.")
        opens, closes = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        if not opens < closes <= 24 * 60:
            raise ValidationError(f"{value!r} does not open before it closes. Write one such as '10:00-21:00'.")
        return opens, closes
