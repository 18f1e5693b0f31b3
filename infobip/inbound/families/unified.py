"""The item that SMS v3, MMS v2, Viber, Messenger, Instagram, LINE, Kakao, Apple, TikTok and push share.

Source: Infobip OpenAPI 3.210.0. It names no channel, so only the URL or the registered send can tell it.
"""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery
from infobip.inbound.family import Context, Family
from infobip.inbound.schema import DeliverySchema
from reports import Report


class UnifiedSchema(DeliverySchema):
    """A delivery report without anything of its own."""


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; only an e-mail address proves a channel (e-mail v4 reports have this shape, too)."""
    return delivery("unified", item, raw, context, proven="email" if item.to and "@" in item.to else "")


FAMILY = Family(UnifiedSchema(), to_report)
