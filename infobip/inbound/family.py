"""What a payload family is: a schema, and the way from a valid item to a report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from marshmallow import ValidationError

from infobip.inbound.schema import WireSchema
from reports import Report


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about an item from outside it: the account and channel of the URL, the envelope's bulk id."""

    account: str
    channel: str
    bulk_id: str = ""


ToReport = Callable[[Any, Mapping[str, Any], Context], Report]
"""Makes the report of a valid item (the struct of the family's schema), given the raw item and the context."""


@dataclass(frozen=True, slots=True)
class Family:
    """One payload family. Its name is its key in `families.FAMILIES`."""

    schema: WireSchema
    to_report: ToReport

    def load(self, raw: Mapping[str, Any]) -> Any:
        """Return the valid item in `raw`; raise marshmallow's `ValidationError` if it is none.

        The generated struct takes the ordinary item. What it refuses may still be valid (XML writes numbers as
        text), so marshmallow decides, and names the fault exactly if there is one.
        """
        try:
            return msgspec.convert(raw, self.schema.struct)
        except msgspec.ValidationError:
            return self.load_exactly(raw)

    def load_exactly(self, raw: Mapping[str, Any]) -> Any:
        """Do as `load` does, by the schema alone."""
        return self.schema.load(raw)


def describe(error: ValidationError) -> str:
    """Return a marshmallow error as one line: `status.id: expected a whole number, found text`."""
    return "; ".join(sorted(_lines(error.messages, "")))


def _lines(messages: Any, path: str) -> list[str]:
    if isinstance(messages, dict):
        return [
            line
            for name, inner in messages.items()
            for line in _lines(inner, path if name == "_schema" else f"{path}.{name}" if path else str(name))
        ]
    return [f"{path}: {text}" if path else str(text) for text in messages]
