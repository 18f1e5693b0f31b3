"""Delivery reports of the API before 2015: XML attributes, times without a zone, GSM error numbers."""

from collections.abc import Mapping
from typing import Any, Final

from infobip.inbound.assemble import address, code_ref, decimal_text, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Amount, Anything, Count, MildText, Text, Whole
from infobip.inbound.schema import WireSchema
from reports import NOTHING, Event, Report

# The old words, in the groups that Infobip uses today. Others stay without a group: unknown is mild.
GROUPS: Final[dict[str, tuple[int, str]]] = {
    "DELIVERED": (3, "DELIVERED"),
    "NOT_DELIVERED": (2, "UNDELIVERABLE"),
    "SENT": (1, "PENDING"),
}


class Pre2015Schema(WireSchema):
    """`<message id= sentdate= donedate= status= gsmerror= price= pducount=/>`."""

    identified_by = ("id",)

    id = Text()
    to = Text()
    sent = Anything("sentdate")
    done = Anything("donedate")
    status = MildText()
    gsm_error = Whole("gsmerror")
    price = Amount()
    count = Count("pducount")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; this API sent nothing but SMS."""
    sent_at, done_at = parse(item.sent), parse(item.done)
    word = (item.status or "").strip().upper()
    return Report(
        Event.DELIVERY,
        "DELIVERY",
        "pre-2015",
        raw,
        account=context.account,
        channel=choose("", context.channel, "sms"),
        message_id=item.id or "",
        recipient=address(item.to),
        status=code_ref(None, word, *GROUPS.get(word, (None, ""))),
        error=code_ref(item.gsm_error, ""),
        sent_at=sent_at,
        done_at=done_at,
        event_at=done_at or sent_at,
        price="" if item.price is None else decimal_text(item.price),
        count=item.count,
        detail=with_bad_dates(NOTHING, sentdate=(item.sent, sent_at), donedate=(item.done, done_at)),
    )


FAMILY = Family(Pre2015Schema(), to_report)
