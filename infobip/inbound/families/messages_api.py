"""Messages API delivery reports (Infobip OpenAPI 3.210.0): `event`, `channel`, `destination`, `mccMnc` as a number."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery, known
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, Text, TextOrNumber
from infobip.inbound.schema import DeliverySchema
from reports import Report


class MessagesApiSchema(DeliverySchema):
    """A delivery report that names its own channel."""

    identified_by = ("message_id", "destination", "to")

    destination = Text()
    device_details = Anything("deviceDetails")
    network_id = TextOrNumber("networkId")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report."""
    network_id = None if item.network_id is None else str(item.network_id)
    detail = known(device_details=item.device_details, network_id=network_id)
    recipient = item.destination or item.to or ""
    return delivery("messages-api", item, raw, context, recipient=recipient, detail=detail)


FAMILY = Family(MessagesApiSchema(), to_report)
