"""Zalo delivery reports (Infobip OpenAPI 3.210.0): `channel` is ZALO_NOTIFICATION_SERVICE."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery
from infobip.inbound.family import Context, Family
from infobip.inbound.schema import DeliverySchema
from reports import Report


class ZaloSchema(DeliverySchema):
    """A delivery report of Zalo; entity and application are at its top."""


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report."""
    return delivery("zalo", item, raw, context, proven="zalo")


FAMILY = Family(ZaloSchema(), to_report)
