"""Number Lookup (HLR) results. The asynchronous form is unpublished and taken to be that of the synchronous answer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infobip.inbound.assemble import delivery, known
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Flag, MildText
from infobip.inbound.schema import DeliverySchema, Object, WireSchema
from reports import Event, Report


class NetworkSchema(WireSchema):
    """A mobile network."""

    name = MildText("networkName")
    country = MildText("countryName")


class NumberLookupSchema(DeliverySchema):
    """What is known about one number. It has no message id."""

    original_network = Object(NetworkSchema, "originalNetwork")
    ported_network = Object(NetworkSchema, "portedNetwork")
    roaming_network = Object(NetworkSchema, "roamingNetwork")
    ported = Flag()
    roaming = Flag()
    serving_msc = MildText("servingMSC")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; the networks, porting and roaming are details."""
    networks = {
        name: network.name
        for name in ("original_network", "ported_network", "roaming_network")
        if (network := getattr(item, name)) is not None
    }
    detail = known(ported=item.ported, roaming=item.roaming, serving_msc=item.serving_msc, **networks)
    report = delivery("number-lookup", item, raw, context, proven="number-lookup", detail=detail)
    return replace(report, event=Event.LOOKUP, kind="NUMBER_LOOKUP")


FAMILY = Family(NumberLookupSchema(), to_report)
