"""Calling Infobip: requests taken apart and put together, what answers prove, and what logs say.

endpoint = find("POST", "/sms/3/messages")
sends = read_sends(endpoint, body)
for one in sends.destinations:
    print(one.position, one.message_id, one.channel)

Whatever needs the network (`client`, `logs`, `transport`) is imported by its own name: most processes never call out.
"""

from infobip.outbound.answers import Answered, Entry, pair, read_answer
from infobip.outbound.blocked import blocked_answer
from infobip.outbound.endpoint import Endpoint, Rate
from infobip.outbound.endpoints import ENDPOINTS, find
from infobip.outbound.errors import (
    BaseUrlRefused,
    CannotResend,
    OutboundError,
    SubscriptionsRefused,
    TooLate,
    UnreadableAnswer,
    UnreadableSend,
)
from infobip.outbound.ids import new_id
from infobip.outbound.read import read_sends, single
from infobip.outbound.resend import Converted, Rebuilt, convert, rebuild
from infobip.outbound.rewrite import Redirected, gone_with, with_report_url, without
from infobip.outbound.sends import Destination, Position, Recipient, Sends

__all__ = [
    "ENDPOINTS",
    "Answered",
    "BaseUrlRefused",
    "CannotResend",
    "Converted",
    "Destination",
    "Endpoint",
    "Entry",
    "OutboundError",
    "Position",
    "Rate",
    "Rebuilt",
    "Recipient",
    "Redirected",
    "Sends",
    "SubscriptionsRefused",
    "TooLate",
    "UnreadableAnswer",
    "UnreadableSend",
    "blocked_answer",
    "convert",
    "find",
    "gone_with",
    "new_id",
    "pair",
    "read_answer",
    "read_sends",
    "rebuild",
    "single",
    "with_report_url",
    "without",
]
