"""Events of the Calls API, one per request, of 65 types (Infobip OpenAPI 3.210.0)."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import address, code, known, number, text_in, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import CodeSchema, Object, PlatformSchema, WireSchema
from reports import Event, Report


class CallPropertiesSchema(WireSchema):
    """What the type of event brings along."""

    call_log = Anything("callLog")
    call = Anything()
    error_code = Object(CodeSchema, "errorCode")


class CallsSchema(WireSchema):
    """An event of a call, conference, dialog or bulk."""

    identified_by = ("call_id", "conference_id", "dialog_id", "bulk_id")

    type = MildText()
    call_id = Text("callId")
    conference_id = Text("conferenceId")
    dialog_id = Text("dialogId")
    bulk_id = Text("bulkId")
    timestamp = Anything()
    configuration_id = MildText("callsConfigurationId")
    platform = Object(PlatformSchema)
    properties = Object(CallPropertiesSchema)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report. A call is no message, so its id is a detail and `message_id` stays empty."""
    timestamp, properties, platform = parse(item.timestamp), item.properties, item.platform
    log = (properties.call_log or properties.call) if properties is not None else None
    detail = known(
        call_id=item.call_id,
        conference_id=item.conference_id,
        dialog_id=item.dialog_id,
        configuration_id=item.configuration_id,
        direction=text_in(log, "direction"),
        duration_s=number(text_in(log, "duration")),
    )
    return Report(
        Event.OTHER,
        (item.type or "UNKNOWN").upper(),
        "calls",
        raw,
        account=context.account,
        channel=choose("", context.channel, "calls"),
        bulk_id=item.bulk_id or context.bulk_id,
        recipient=address(text_in(log, "to")),
        sender=text_in(log, "from"),
        error=code(properties.error_code) if properties is not None else None,
        event_at=timestamp,
        application=(platform.application_id or "") if platform is not None else "",
        entity=(platform.entity_id or "") if platform is not None else "",
        detail=with_bad_dates(detail, timestamp=(item.timestamp, timestamp)),
    )


FAMILY = Family(CallsSchema(), to_report)
