"""WhatsApp delivery reports (Infobip OpenAPI 3.210.0): no sender, no platform, perhaps no `to`, perhaps a contact."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery
from infobip.inbound.family import Context, Family
from infobip.inbound.schema import ContactSchema, DeliverySchema, Object
from reports import Report


class WhatsAppSchema(DeliverySchema):
    """A delivery report of WhatsApp."""

    contact = Object(ContactSchema)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; people known by user name alone are addressed by their WhatsApp user id, if at all."""
    contact = item.contact
    if contact is None:
        return delivery("whatsapp", item, raw, context, proven="whatsapp")
    recipient = item.to or contact.phone_number or contact.user_id or ""
    return delivery("whatsapp", item, raw, context, proven="whatsapp", recipient=recipient)


FAMILY = Family(WhatsAppSchema(), to_report)
