"""MMS v1 delivery reports (Infobip OpenAPI 3.210.0): `smsCount`, or `mmsCount` in older ones, and no `from`."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Count
from infobip.inbound.schema import DeliverySchema
from reports import Report


class MmsLegacySchema(DeliverySchema):
    """A delivery report of MMS v1."""

    sms_count = Count("smsCount")
    mms_count = Count("mmsCount")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report."""
    count = item.sms_count if item.mms_count is None else item.mms_count
    return delivery("mms-legacy", item, raw, context, proven="mms", count=count)


FAMILY = Family(MmsLegacySchema(), to_report)
