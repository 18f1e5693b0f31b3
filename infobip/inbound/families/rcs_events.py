"""RCS besides delivery: capability checks, typing, conversations (Infobip OpenAPI 3.210.0)."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import address, common, first, known, text_in, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import MessageSchema, Object, PlatformSchema, WireSchema
from reports import Event, Report


class CapabilitySchema(WireSchema):
    """Whether a number can receive RCS."""

    identified_by = ("message_id", "phone_number")

    bulk_id = Text("bulkId")
    message_id = Text("messageId")
    phone_number = Text("phoneNumber")
    code = MildText()


class OptionsSchema(WireSchema):
    """What the request had set."""

    platform = Object(PlatformSchema)


class CapabilityResultSchema(WireSchema):
    """The envelope of a capability check."""

    identified_by = ("result",)

    result = Object(CapabilitySchema, "capabilityCheckResult", strict=True)
    options = Object(OptionsSchema)


class ActivitySchema(MessageSchema):
    """Someone types, or a conversation has begun. `event` is an object, in Messages API a text."""

    event = Anything()
    destination = Text()
    received_at = Anything("receivedAt")
    conversation = Anything()
    traffic_type = MildText("trafficType")


def to_capability(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a capability check; `capability` is ENABLED, UNREACHABLE and the like."""
    result = item.result
    platform = item.options.platform if item.options is not None else None
    return Report(
        Event.LOOKUP,
        "CAP_CHECK",
        "rcs-capability",
        raw,
        account=context.account,
        channel=choose("", context.channel, "rcs"),
        message_id=result.message_id or "",
        bulk_id=result.bulk_id or "",
        recipient=address(result.phone_number),
        application=(platform.application_id or "") if platform is not None else "",
        entity=(platform.entity_id or "") if platform is not None else "",
        detail=known(capability=result.code),
    )


def to_activity(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of typing or of a conversation; `recipient` is the person."""
    word = text_in(item.event, "type") or (item.event if isinstance(item.event, str) else "")
    started = item.conversation.get("startTime") if isinstance(item.conversation, dict) else None
    received_at, started_at = parse(item.received_at), parse(started)
    return Report(
        Event.OTHER,
        word.upper() or "UNKNOWN",
        "rcs-activity",
        raw,
        **common(item, context, proven="rcs"),
        recipient=address(item.sender or item.from_),
        sender=item.destination or item.to or "",
        event_at=first(received_at, started_at),
        detail=with_bad_dates(
            known(traffic_type=item.traffic_type, conversation_id=text_in(item.conversation, "id")),
            receivedAt=(item.received_at, received_at),
            startTime=(started, started_at),
        ),
    )


CAPABILITY_FAMILY = Family(CapabilityResultSchema(), to_capability)
ACTIVITY_FAMILY = Family(ActivitySchema(), to_activity)
