"""SMS v1 and v2 delivery reports, also of flash and binary messages (Infobip OpenAPI 3.210.0): `smsCount`."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Count
from infobip.inbound.schema import DeliverySchema
from reports import Report


class SmsLegacySchema(DeliverySchema):
    """A delivery report with `smsCount` and, mostly, `from`."""

    sms_count = Count("smsCount")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report. Without `from` an MMS v1 report looks the same, so only `from` proves the channel."""
    return delivery("sms-legacy", item, raw, context, proven="sms" if item.from_ else "", count=item.sms_count)


FAMILY = Family(SmsLegacySchema(), to_report)
