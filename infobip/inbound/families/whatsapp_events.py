"""WhatsApp's other single objects: a person's new device or SIM, payments (Infobip OpenAPI 3.210.0)."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import address, known, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import Object, WireSchema
from reports import Event, Report


class ContentSchema(WireSchema):
    """What happened. The person is `userNumber`, or `from` in payments."""

    identified_by = ("user_number", "user_id", "from_")

    type = MildText()
    user_number = Text("userNumber")
    user_id = Text("userId")
    from_ = Text("from")
    hash = MildText()
    reference_id = MildText("referenceId")
    payment_id = MildText("paymentId")
    payment_status = MildText("paymentStatus")


class WhatsAppEventSchema(WireSchema):
    """An event about one person. The outer `from` is our number."""

    identified_by = ("content",)

    from_ = MildText("from")
    content = Object(ContentSchema, strict=True)
    created_at = Anything("createdAt")


def to_identity(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a changed identity."""
    return _report("IDENTITY_CHANGE", "whatsapp-identity", item, raw, context)


def to_payment(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a payment."""
    return _report("PAYMENT_STATUS", "whatsapp-payment", item, raw, context)


def _report(kind: str, family: str, item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    content, created_at = item.content, parse(item.created_at)
    detail = known(
        identity_hash=content.hash,
        reference_id=content.reference_id,
        payment_id=content.payment_id,
        payment_status=content.payment_status,
    )
    return Report(
        Event.OTHER,
        kind,
        family,
        raw,
        account=context.account,
        channel=choose("", context.channel, "whatsapp"),
        recipient=address(content.user_number or content.from_ or content.user_id),
        sender=item.from_ or "",
        event_at=created_at,
        detail=with_bad_dates(detail, createdAt=(item.created_at, created_at)),
    )


IDENTITY_FAMILY = Family(WhatsAppEventSchema(), to_identity)
PAYMENT_FAMILY = Family(WhatsAppEventSchema(), to_payment)
