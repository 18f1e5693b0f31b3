"""Infobip's own blocklist: someone was blocked or unblocked there (Infobip OpenAPI 3.210.0)."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import address, known, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import Object, PlatformSchema, WireSchema
from reports import Event, Report


class OutboundReferenceSchema(WireSchema):
    """The message that the person answered."""

    bulk_id = Text("bulkId")
    message_id = Text("outboundMessageId")
    send_at = Anything("sendAt")


class InboundReferenceSchema(WireSchema):
    """The message with which the person asked for it."""

    message_id = MildText("inboundMessageId")


class CampaignSchema(WireSchema):
    """The campaign that it came from."""

    campaign = MildText()


class BlocklistContentSchema(WireSchema):
    """Who is blocked, for which sender, on which channel (all, if none is named), and why."""

    identified_by = ("destination",)

    destination = Text()
    sender = MildText()
    channel = MildText()
    source_type = MildText("sourceType")
    outbound = Object(OutboundReferenceSchema, "outboundMessageReference")
    inbound = Object(InboundReferenceSchema, "inboundMessageReference")
    campaign = Object(CampaignSchema, "campaignReference")


class BlocklistSchema(WireSchema):
    """BLOCK or UNBLOCK. `messageId` is the event's own id."""

    identified_by = ("content",)

    event = MildText()
    event_id = Text("messageId")
    received_at = Anything("receivedAt")
    content = Object(BlocklistContentSchema, strict=True)
    platform = Object(PlatformSchema)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; `message_id` is that of our message that led to it, where known."""
    content, platform, received_at = item.content, item.platform, parse(item.received_at)
    outbound, inbound, campaign = content.outbound, content.inbound, content.campaign
    return Report(
        Event.OTHER,
        (item.event or "UNKNOWN").upper(),
        "blocklist",
        raw,
        account=context.account,
        channel=choose(content.channel or "", context.channel, "email" if "@" in (content.destination or "") else ""),
        own_channel=content.channel or "",
        message_id=(outbound.message_id or "") if outbound is not None else "",
        event_id=item.event_id or "",
        bulk_id=(outbound.bulk_id or "") if outbound is not None else "",
        recipient=address(content.destination),
        sender=content.sender or "",
        sent_at=parse(outbound.send_at) if outbound is not None else None,
        event_at=received_at,
        application=(platform.application_id or "") if platform is not None else "",
        entity=(platform.entity_id or "") if platform is not None else "",
        campaign=(campaign.campaign or "") if campaign is not None else "",
        detail=with_bad_dates(
            known(
                source_type=content.source_type,
                inbound_message_id=inbound.message_id if inbound is not None else None,
            ),
            receivedAt=(item.received_at, received_at),
        ),
    )


FAMILY = Family(BlocklistSchema(), to_report)
