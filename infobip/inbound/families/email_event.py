"""E-mail platform events: the bounce rate of a sending domain is high, or has blocked it (Infobip OpenAPI 3.210.0)."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import known, number, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Amount, Anything, MildText, Text
from infobip.inbound.schema import Object, WireSchema
from reports import Event, Report


class EventDetailsSchema(WireSchema):
    """What happened; rates are in per cent."""

    type = MildText()
    domain = MildText()
    bounce_rate = Amount("bounceRate")
    warn_threshold = Amount("warnThreshold")
    block_threshold = Amount("blockThreshold")
    scope = MildText()


class EmailEventSchema(WireSchema):
    """An event about a domain, not about a message."""

    identified_by = ("event_id",)

    event_id = Text("eventId")
    created_at = Anything("createdAt")
    details = Object(EventDetailsSchema, "eventDetails", strict=True)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report, with the domain and the rates as details."""
    details, created_at = item.details, parse(item.created_at)
    detail = known()
    if details is not None:
        detail = known(
            domain=details.domain,
            bounce_rate=number(details.bounce_rate),
            warn_threshold=number(details.warn_threshold),
            block_threshold=number(details.block_threshold),
            scope=details.scope,
        )
    return Report(
        Event.OTHER,
        ((details.type if details is not None else "") or "UNKNOWN").upper(),
        "email-event",
        raw,
        account=context.account,
        channel=choose("", context.channel, "email"),
        event_id=item.event_id or "",
        event_at=created_at,
        detail=with_bad_dates(detail, createdAt=(item.created_at, created_at)),
    )


FAMILY = Family(EmailEventSchema(), to_report)
