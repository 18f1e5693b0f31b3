"""RCS delivery reports: the unified item plus the conversation and the kind of interaction (Infobip OpenAPI 3.210.0).

`channel` is there only where failover was defined, and then tells the legs of one message id apart.
"""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery, known
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Flag, MildText
from infobip.inbound.schema import DeliverySchema, Object, PriceSchema, WireSchema
from reports import Report


class ConversationSchema(WireSchema):
    """The RCS conversation that a message belongs to."""

    id = MildText()
    can_initiate = Flag("canInitiate")


class RcsPriceSchema(PriceSchema):
    """A price with the traffic type that it was charged by."""

    traffic_type = MildText("trafficType")


class RcsSchema(DeliverySchema):
    """A delivery report of RCS, or of one leg of an RCS message with failover."""

    price = Object(RcsPriceSchema)
    conversation = Object(ConversationSchema)
    interaction_type = MildText("interactionType")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report, with the conversation and traffic type as details."""
    conversation, price = item.conversation, item.price
    detail = known(
        interaction_type=item.interaction_type,
        traffic_type=price.traffic_type if price is not None else None,
        conversation_id=conversation.id if conversation is not None else None,
    )
    return delivery("rcs", item, raw, context, proven="rcs", detail=detail)


FAMILY = Family(RcsSchema(), to_report)
