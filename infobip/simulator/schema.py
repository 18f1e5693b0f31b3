"""What a scenario may say, as marshmallow schemas; each mistake is named with its place and what to write instead."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from codes import CHANNELS
from codes.channels import AUTO, UNKNOWN
from codes.suggest import did_you_mean
from infobip.simulator.coding import UnknownCode, Wish, find
from infobip.simulator.errors import ScenarioFault
from infobip.simulator.scenario import APIS, Blocked, Count, Fault, Match, Posting, Rule, Scenario, Step
from infobip.simulator.spans import seconds_of

_CHANNELS = CHANNELS - {AUTO, UNKNOWN}


class Span(fields.Field[float]):
    """A duration, as seconds."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        try:
            return seconds_of(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Words(fields.Field[tuple[str, ...]]):
    """A text or a list of texts, out of `known` where that is given."""

    def __init__(self, known: Iterable[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = frozenset(known) if known is not None else None

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[str, ...]:
        words = value if isinstance(value, list) else [value]
        if not words or not all(isinstance(word, str) and word for word in words):
            raise ValidationError("it is not a list of texts. Write one such as ['sms'].")
        for word in words:
            if self.known is not None and word not in self.known:
                raise ValidationError(f"{word!r} is not known. {did_you_mean(word, self.known)}")
        return tuple(words)


class Code(fields.Field[Wish]):
    """A code of the tables, by id or name."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Wish:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ValidationError("it is not a code. Write an id or a name, such as 27 or 'EC_ABSENT_SUBSCRIBER'.")
        try:
            find(self.kind, value, "sms")
        except UnknownCode as error:
            raise ValidationError(str(error)) from None
        return value


class Number(fields.Field[Count]):
    """`2`, or `"2+"` for 2 and more."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Count:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return Count(value, value)
        if isinstance(value, str) and value.endswith("+") and value[:-1].isdecimal() and int(value[:-1]) > 0:
            return Count(int(value[:-1]))
        raise ValidationError("it is not a count. Write 1 for the first, or '2+' for the second and all after it.")


class _Strict(Schema):
    class Meta:
        unknown = RAISE

    def handle_error(self, error: ValidationError, data: Any, **kwargs: Any) -> None:
        """Say which keys there are, where one is not known."""
        messages = error.messages
        if isinstance(messages, dict):
            for key in [name for name, texts in messages.items() if texts == ["Unknown field."]]:
                known = [field.data_key or name for name, field in self.fields.items()]
                messages[key] = [f"there is no such key. {did_you_mean(str(key), known)}"]


_NETWORK = validate.Regexp(r"\d{5,6}\Z", error="Write the MCC and the MNC together, such as '23410'.")


def _share(**kwargs: Any) -> fields.Float:
    return fields.Float(validate=validate.Range(0, 1, error="Write a share between 0 and 1."), **kwargs)


def _one_of(*words: str, **kwargs: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(words, error=f"Write one of {', '.join(words)}."), **kwargs)


class StepSchema(_Strict):
    """`{ after = "2s", status = 9, error = "EC_ABSENT_SUBSCRIBER" }`, or `{ after = "1m", seen = true }`."""

    after = Span()
    status = Code("status")
    error = Code("error")
    leg = fields.String(validate=validate.OneOf(sorted(_CHANNELS), error="there is no such channel. See `dlr sample`."))
    smtp = fields.String()
    seen = fields.Boolean()

    @post_load
    def _step(self, data: dict[str, Any], **kwargs: Any) -> Step:
        return Step(**data)


class MatchSchema(_Strict):
    """`match = { channel = "sms", share = 0.03, attempt = 1 }`."""

    api = _one_of(*APIS)
    recipient = Words()
    prefix = Words()
    channel = Words(_CHANNELS)
    sender = Words()
    network = Words()
    share = _share()
    share_of = _one_of("message", "recipient")
    attempt = Number()
    request = Number()
    since = Span(data_key="from")
    until = Span()
    times = fields.Integer(strict=True, validate=validate.Range(min=1, error="Write 1 or more."))

    @post_load
    def _match(self, data: dict[str, Any], **kwargs: Any) -> Match:
        for name in {"recipient", "channel", "sender", "network"} & data.keys():
            data[name] = frozenset(data[name])
        return Match(**data)


class FaultSchema(_Strict):
    """`fault = { status = 429, retry_after = "2s" }` or `fault = { drop = "after" }`."""

    status = fields.Integer(strict=True, validate=validate.Range(400, 599, error="Write a status from 400 to 599."))
    retry_after = Span()
    drop = _one_of("before", "after")

    @validates_schema(skip_on_field_errors=True)
    def _one(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("status" in data) == ("drop" in data):
            raise ValidationError("it needs either status or drop. Write one of them.")

    @post_load
    def _fault(self, data: dict[str, Any], **kwargs: Any) -> Fault:
        return Fault(**data)


class RuleSchema(_Strict):
    """One `[[rule]]`."""

    name = fields.String(required=True)
    match = fields.Nested(MatchSchema)
    reports = fields.List(fields.Nested(StepSchema))
    answer = Code("status")
    fault = fields.Nested(FaultSchema)
    slow = Span()

    @validates_schema(skip_on_field_errors=True)
    def _does_something(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not data.keys() & {"reports", "answer", "fault", "slow"}:
            raise ValidationError("it says not what happens. Write reports, answer, fault or slow.")

    @post_load
    def _rule(self, data: dict[str, Any], **kwargs: Any) -> Rule:
        if "reports" in data:
            data["reports"] = tuple(data["reports"])
        return Rule(**data)


class PostingSchema(_Strict):
    """`[posting]`."""

    duplicates = _share()
    out_of_order = _share()
    intermediate = _one_of("asked", "always", "never")
    bucket = fields.Integer(strict=True, validate=validate.Range(1, 2000, error="Write 1 to 2000."))
    timeout = Span()
    hmac_header = fields.String()

    @post_load
    def _posting(self, data: dict[str, Any], **kwargs: Any) -> Posting:
        return Posting(**data)


class BlockedSchema(_Strict):
    """One `[[blocklist]]`."""

    destination = fields.String(required=True)
    sender = fields.String()
    channel = fields.String()
    source = _one_of("CUSTOM", "MO", "URL_OPT_OUT", "CAMPAIGN")

    @post_load
    def _blocked(self, data: dict[str, Any], **kwargs: Any) -> Blocked:
        return Blocked(**data)


class ScenarioSchema(_Strict):
    """The whole file."""

    name = fields.String()
    seed = fields.Integer(strict=True)
    rules = fields.List(fields.Nested(RuleSchema), data_key="rule")
    otherwise = fields.List(fields.Nested(StepSchema))
    posting = fields.Nested(PostingSchema)
    logs_delay = Span()
    blocklist_delay = Span()
    duplicate_ids = _one_of("reject", "report", "accept")
    blocked_is = _one_of("answer", "report", "both")
    limits = fields.Boolean()
    pull_pushed = fields.Boolean()
    balance = fields.Float()
    networks = fields.Dict(fields.String(), fields.String(validate=_NETWORK))
    blocklist = fields.List(fields.Nested(BlockedSchema))
    registrations = Words()
    applications = Words()

    @post_load
    def _scenario(self, data: dict[str, Any], **kwargs: Any) -> Scenario:
        for name in ("rules", "otherwise", "blocklist"):
            if name in data:
                data[name] = tuple(data[name])
        for name in ("registrations", "applications"):
            if name in data:
                data[name] = frozenset(data[name])
        return Scenario(**data)


def faults_of(messages: Any, data: Any, place: str) -> Iterator[ScenarioFault]:
    """Yield the mistakes of marshmallow's messages; a rule is named by its name, not only by its number."""
    if not isinstance(messages, dict):
        texts = messages if isinstance(messages, list) else [messages]
        yield from (ScenarioFault(place, str(text)) for text in texts)
        return
    for key, inner in messages.items():
        below = data.get(key) if isinstance(data, dict) else None
        if isinstance(key, int):
            below = data[key] if isinstance(data, list) and key < len(data) else None
            name = below.get("name") if isinstance(below, dict) else None
            label = f"{place} {key + 1}" + (f" ({name})" if name else "")
        elif key == "_schema":
            label, below = place, data
        else:
            label = f"{place}, {key}"
        yield from faults_of(inner, below, label)
