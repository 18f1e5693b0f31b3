"""The policy language, as marshmallow schemas: what a policy file may say, and what it becomes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from codes import CAUSES, CHANNELS, Outcome, Tables
from policy.decision import Mode
from policy.fields import CodeList, Span, Strict, Window, Words, Zone
from policy.history import Purpose
from policy.matching import Conditions
from policy.rules import AlertPlan, Limits, Purposes, RetryPlan, SilencePlan
from policy.suppress_schema import SuppressSchema

MOST_ATTEMPTS: Final = 7
LONGEST_RETRY: Final = timedelta(days=8)
LONGEST_SILENCE: Final = timedelta(hours=1)

PAUSES: Final = ("sender", "network", "domain", "account", "brand")
GROUPINGS: Final = (
    "account",
    "channel",
    "sender",
    "template",
    "network",
    "country",
    "domain",
    "error",
    "status",
    "cause",
    "campaign",
)
SEVERITIES: Final = ("info", "warning", "critical")
EVENTS: Final = ("delivery", "seen", "click", "inbound", "lookup", "other", "unknown")
# Infobip's own names for events that are no delivery report; a rule may match them like the events above.
KINDS: Final = tuple(
    "DELIVERY SEEN CLICKED OPENED COMPLAINED UNSUBSCRIBED LATE_BOUNCE BLOCK UNBLOCK INBOUND_MESSAGE CONSENT_UPDATE"
    " SUBSCRIBE UNSUBSCRIBE MARKETING_SUBSCRIPTION_UPDATE IDENTITY_CHANGE TEMPLATE_UPDATE HIGH_BOUNCE_RATE_WARNING"
    " HIGH_BOUNCE_RATE_BLOCKED".split()
)


class RetrySchema(Strict):
    """`retry = { delays = ["15m", "2h"], attempts = 2 }`, or `every = "24h"`."""

    delays = fields.List(Span(), validate=validate.Length(min=1))
    every = Span()
    attempts = fields.Integer(strict=True, validate=validate.Range(1, MOST_ATTEMPTS))
    give_up_after = Span(most=LONGEST_RETRY)
    when = fields.String(validate=validate.OneOf(("delay", "next_day", "window")), load_default="delay")
    zone = Zone(load_default="UTC")
    window = Window()
    pause = fields.List(fields.String(validate=validate.OneOf(PAUSES)), load_default=list)
    channel = fields.String(validate=validate.OneOf(sorted(CHANNELS)), load_default="")

    @validates_schema
    def _agree(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("delays" in data) == ("every" in data):
            raise ValidationError("it needs either delays or every. Write one of them.", "delays")
        if (data["when"] == "window") != ("window" in data):
            raise ValidationError("window and when = 'window' belong together. Write both or neither.", "window")


class ThresholdSchema(Strict):
    """`threshold = { count = 20, within = "10m" }`."""

    count = fields.Integer(strict=True, required=True, validate=validate.Range(min=1))
    within = Span(required=True)


class AlertSchema(Strict):
    """`alert = { severity = "warning", group_by = ["account", "sender"] }`."""

    severity = fields.String(required=True, validate=validate.OneOf(SEVERITIES))
    group_by = fields.List(fields.String(validate=validate.OneOf(GROUPINGS)), load_default=lambda: ["account"])
    threshold = fields.Nested(ThresholdSchema, load_default=None)
    repeat = Span(load_default=timedelta(hours=24))

    @post_load
    def _plan(self, data: dict[str, Any], **kwargs: Any) -> AlertPlan:
        threshold = data.pop("threshold") or {}
        return AlertPlan(data["severity"], tuple(data["group_by"]), repeat=data["repeat"], **threshold)


class SilenceSchema(Strict):
    """`on_silence = { after = "20s", then = "voice" }`."""

    after = Span(most=LONGEST_SILENCE, required=True)
    then = fields.String(required=True, validate=validate.OneOf(sorted(CHANNELS)))

    @post_load
    def _plan(self, data: dict[str, Any], **kwargs: Any) -> SilencePlan:
        return SilencePlan(**data)


class LimitsSchema(Strict):
    """`[limits]`: each key may be left out and has the documented default."""

    attempts = fields.Integer(strict=True, validate=validate.Range(1, MOST_ATTEMPTS))
    give_up_after = Span(most=LONGEST_RETRY)
    settle = Span()
    jitter = fields.Float(validate=validate.Range(0, 1))
    per_recipient_hour = fields.Integer(strict=True, validate=validate.Range(1, 6))
    resends_per_day = fields.Integer(strict=True, validate=validate.Range(min=0))
    resends_share = fields.Float(validate=validate.Range(0, 1))
    money_per_day = fields.Float(validate=validate.Range(min=0))
    pause_share = fields.Float(validate=validate.Range(0, 1))
    pause_count = fields.Integer(strict=True, validate=validate.Range(min=1))
    pause_window = Span()
    guard_share = fields.Float(validate=validate.Range(0, 1))
    guard_count = fields.Integer(strict=True, validate=validate.Range(min=1))
    guard_window = Span()
    otp_not_after = Span()
    undeclared_within = Span()
    callbacks_within = Span()

    @post_load
    def _limits(self, data: dict[str, Any], **kwargs: Any) -> Limits:
        return Limits(**data)


class ModesSchema(Strict):
    """`[modes]`: how far each kind of action goes by itself."""

    retry = fields.Enum(Mode, by_value=True)
    suppress = fields.Enum(Mode, by_value=True)
    alert = fields.Enum(Mode, by_value=True)
    forward = fields.Enum(Mode, by_value=True)


class PurposesSchema(Strict):
    """`[purposes]`: what messages are for, where nobody registered it."""

    default = fields.Dict(fields.String(), fields.Enum(Purpose, by_value=True))
    campaign = fields.Dict(fields.String(), fields.Enum(Purpose, by_value=True))
    sender = fields.Dict(fields.String(), fields.Enum(Purpose, by_value=True))
    application = fields.Dict(fields.String(), fields.Enum(Purpose, by_value=True))

    @post_load
    def _purposes(self, data: dict[str, Any], **kwargs: Any) -> Purposes:
        return Purposes(**data)


def match_schema(tables: Tables) -> type[Schema]:
    """Return the schema of a rule's `match`, which knows the codes of `tables`."""

    def known(kind: str) -> Mapping[int | str, object]:
        rows = [row for row in tables.rows if row.kind == kind]
        return {row.id: row for row in rows} | {row.name.lower(): row for row in rows}

    class MatchSchema(Strict):
        account = Words()
        channel = Words(CHANNELS)
        event = Words((*EVENTS, *KINDS))
        outcome = Words(Outcome)
        family = Words({row.family for row in tables.rows})
        status = CodeList(known("status"), "status")
        error = CodeList(known("error"), "error")
        group = Words({row.group.lower() for row in tables.rows if row.group}, fold=True)
        cause = Words(CAUSES)
        permanent = fields.Boolean()
        conflict = fields.Boolean()
        infobip_retries = fields.Boolean()
        purpose = Words(Purpose)
        sender = Words()
        application = Words()
        entity = Words()
        country = Words()
        network = Words()
        campaign = Words()

        @post_load
        def _conditions(self, data: dict[str, Any], **kwargs: Any) -> Conditions:
            return Conditions(**data)

    return MatchSchema


_SHORT: Final = "the reason is shorter than {min} characters. Write a clause that ends the sentence '..., since ...'."


def rule_schema(tables: Tables) -> Schema:
    """Return the schema of one `[[rule]]`."""

    class RuleSchema(Strict):
        id = fields.String(
            required=True, validate=validate.Regexp(r"[a-z][a-z0-9-]*\Z", error="Write lower-case words.")
        )
        match = fields.Nested(match_schema(tables), load_default=Conditions)
        why = fields.String(required=True, validate=validate.Length(min=10, error=_SHORT))
        retry = fields.Nested(RetrySchema, load_default=None)
        suppress = fields.Nested(SuppressSchema, load_default=None)
        alert = fields.Nested(AlertSchema, load_default=None)
        forward = fields.String(load_default="")
        ignore = fields.Boolean(load_default=False)
        counts_as = fields.Enum(Outcome, by_value=True, load_default=None)
        on_silence = fields.Nested(SilenceSchema, load_default=None)

    return RuleSchema()


def retry_plan(data: dict[str, Any], limits: Limits) -> RetryPlan:
    """Return the plan of a validated `retry`, with the limits' defaults where the rule is silent."""
    delays = tuple(data.get("delays") or [data["every"]])
    attempts = data.get("attempts", min(limits.attempts, len(delays)) if "delays" in data else limits.attempts)
    return RetryPlan(
        delays=delays,
        attempts=attempts,
        give_up_after=data.get("give_up_after", limits.give_up_after),
        when=data["when"],
        zone=data["zone"],
        window=data.get("window", (0, 0)),
        pause=tuple(data["pause"]),
        channel=data["channel"],
    )
