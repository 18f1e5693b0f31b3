"""What applications ask of the suppression list, and tell it: one schema for each kind of entry."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, validates_schema

from codes.suggest import did_you_mean
from infobip.outbound.wire import Number
from reports.recipient import fault_of, fault_of_form
from store.entering import BY_HAND
from webhook.api.entry import Fault, Faults
from webhook.api.errors import NoEntries, TooMany
from webhook.api.schema import OneOf, When, Words
from webhook.opinions import PURPOSES
from webhook.suppress_words import CAUSES_BY_HAND, PURPOSES_OF_ENTRIES, SENT_ON, cause_of

MOST: Final = 10_000
LONGEST: Final = 255
_NO_ADDRESS: Final = "address_invalid"
STATES: Final = ("active", "proposed", "held", "lifted", "dropped")


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class CauseWord(Words):
    """A cause about a person, with or without `recipient_` before it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        word = super()._deserialize(value, attr, data, **more).lower()
        found = cause_of(word)
        if found is None:
            raise ValidationError(f"There is no such cause. {did_you_mean(word, CAUSES_BY_HAND)}")
        return found


class Whole(fields.Field[int]):
    """A whole number, as the API's own trees have it, or as text: ids are texts, since JavaScript rounds them."""

    def __init__(self, most: int, **more: Any) -> None:
        super().__init__(**more)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        text = value.text if isinstance(value, Number) else value
        if not isinstance(text, str) or not text.isascii() or not text.isdecimal() or len(text) > 19:
            raise ValidationError("It is no whole number.")
        if not 0 < int(text) <= self.most:
            raise ValidationError(f"It is not between 1 and {self.most}.")
        return int(text)


class CheckSchema(_Strict):
    """One message about to leave."""

    to = Words(LONGEST, required=True)
    channel = OneOf(SENT_ON, required=True)
    sender = Words(LONGEST, 0, load_default="")
    campaign = Words(LONGEST, 0, load_default="")
    purpose = OneOf(PURPOSES, load_default="")


class AddSchema(_Strict):
    """One entry to be made. Without channel, sender or campaign it is for all of them."""

    to = Words(LONGEST, required=True)
    channel = OneOf(SENT_ON, load_default="")
    sender = Words(LONGEST, 0, load_default="")
    campaign = Words(LONGEST, 0, load_default="")
    purpose = OneOf(PURPOSES_OF_ENTRIES, load_default="all")
    cause = CauseWord(load_default=BY_HAND)
    since = When(load_default=None)
    until = When(load_default=None)
    reason = Words(1_000, 0, load_default="")

    @validates_schema
    def _times(self, data: dict[str, Any], **_: Any) -> None:
        now = datetime.now(UTC)
        if data.get("since") is not None and data["since"] > now:
            raise ValidationError("It lies in the future.", "since")
        if data.get("until") is not None and data["until"] <= now:
            raise ValidationError("It is past already.", "until")

    @validates_schema
    def _is_address(self, data: dict[str, Any], **_: Any) -> None:
        judged = fault_of_form(data["to"]) if data["cause"] == _NO_ADDRESS else fault_of(data["to"], data["channel"])
        if judged:
            raise ValidationError(judged, "to")


class LiftSchema(_Strict):
    """What is to be lifted: one entry by its id, or all that stand of an address within channel and sender."""

    id = Whole(2**63 - 1, load_default=None)
    to = Words(LONGEST, load_default="")
    channel = OneOf(SENT_ON, load_default="")
    sender = Words(LONGEST, 0, load_default="")
    evidence = Words(1_000, 0, load_default="")
    opted_in_at = When(load_default=None, data_key="optedInAt")

    @validates_schema
    def _one_of_two(self, data: dict[str, Any], **_: Any) -> None:
        if (data.get("id") is None) == (not data.get("to")):
            raise ValidationError("Exactly one of id and to has to be there.", "to")
        if data.get("opted_in_at") is not None and data["opted_in_at"] > datetime.now(UTC):
            raise ValidationError("It lies in the future.", "optedInAt")


class ListSchema(_Strict):
    """Which entries are listed."""

    to = Words(LONGEST, load_default="")
    channel = OneOf(SENT_ON, load_default="")
    cause = CauseWord(load_default="")
    state = OneOf(STATES, load_default="")
    after = Whole(2**63 - 1, load_default=0)
    limit = Whole(1_000, load_default=100)
    reveal = fields.Boolean(load_default=False)


FIXES: Final = {
    "to": "Write a phone number, an e-mail address or another recipient as the send has it.",
    "channel": "Write the channel, such as sms.",
    "purpose": f"Write one of {', '.join(PURPOSES)}; of an entry all or marketing.",
    "cause": f"Write one of {', '.join(CAUSES_BY_HAND)}.",
    "since": "Write it like 2026-11-24T10:00:00Z.",
    "until": "Write it like 2026-12-24T10:00:00Z; leave it out for good.",
    "optedInAt": "Write it like 2026-11-24T10:00:00Z: when the person opted in again.",
    "id": "Write the id as /api/v1/suppressions/list has it.",
    "after": "Write the `next` of the page before.",
    "limit": "Write a number up to 1000.",
    "state": f"Write one of {', '.join(STATES)}.",
}


def entries_of(body: Mapping[str, Any]) -> list[Any]:
    """Return the entries of a body: a list of them, or the body as the one. Raises `NoEntries` and `TooMany`."""
    found = body.get("entries", [body])
    if not isinstance(found, list) or not found or ("entries" in body and len(body) > 1):
        raise NoEntries("there is no list of entries alone in the body")
    if len(found) > MOST:
        raise TooMany(f"there are {len(found)} entries, and one request may have {MOST}")
    return found


def read(schema: Schema, raw: Any) -> dict[str, Any]:
    """Return one entry checked. Raises `Faults`."""
    if not isinstance(raw, dict):
        raise Faults([Fault("", "It is no JSON object.", "Write an object with `to`.")])
    try:
        loaded: dict[str, Any] = schema.load(raw)
    except ValidationError as error:
        raise Faults(list(_faults(schema, error.messages_dict))) from None
    return loaded


def _faults(schema: Schema, messages: Mapping[str, Any]) -> Iterator[Fault]:
    names = sorted(field.data_key or name for name, field in schema.fields.items())
    for name, found in messages.items():
        text = " ".join(map(str, found)) if isinstance(found, list) else str(found)
        if found == ["Unknown field."]:
            yield Fault(str(name), "There is no such field.", did_you_mean(str(name), names))
        else:
            yield Fault(str(name), text, FIXES.get(str(name), "Write a text."))


def told(faults: Faults) -> dict[str, Any]:
    """Return what is wrong with an entry as the answer has it."""
    return {"errors": [{"field": fault.field, "message": str(fault), "fix": fault.fix} for fault in faults.faults]}
