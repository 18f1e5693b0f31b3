"""Reading what Infobip posts: bytes of any documented form in, reports and faults out.

reading = read(body, content_type, "sms")
for item in reading.items:
    print(item.index, item.report.event, item.report.message_id)
"""

from infobip.inbound.errors import InboundError, NotInfobip, NotReadable, TooDeep, UnsupportedMedia
from infobip.inbound.families import FAMILIES
from infobip.inbound.read import read
from infobip.inbound.reading import Fault, Item, Reading

__all__ = [
    "FAMILIES",
    "Fault",
    "InboundError",
    "Item",
    "NotInfobip",
    "NotReadable",
    "Reading",
    "TooDeep",
    "UnsupportedMedia",
    "read",
]
