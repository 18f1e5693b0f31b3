"""OMNI failover delivery reports (Infobip OpenAPI 3.210.0): one per leg, each naming its channel."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Count
from infobip.inbound.schema import ContactSchema, DeliverySchema, Object
from reports import Report


class OmniSchema(DeliverySchema):
    """A delivery report of one leg."""

    sms_count = Count("smsCount")
    contact = Object(ContactSchema)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report."""
    contact = item.contact
    recipient = item.to or (contact.phone_number or contact.user_id if contact is not None else "") or ""
    count = item.sms_count if item.message_count is None else item.message_count
    return delivery("omni", item, raw, context, recipient=recipient, count=count)


FAMILY = Family(OmniSchema(), to_report)
