"""E-mail delivery reports (Infobip OpenAPI 3.210.0).

`smtp.response` is what the mailbox provider said: the only place where a throttle, a block and a dead mailbox differ.
"""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery, known
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Count, MildText
from infobip.inbound.schema import DeliverySchema, Object, WireSchema
from reports import Report


class SmtpSchema(WireSchema):
    """The mailbox provider's answer."""

    response = MildText()


class EmailSchema(DeliverySchema):
    """A delivery report of one e-mail."""

    sms_count = Count("smsCount")
    attempt_count = Count("attemptCount")
    time_to_first_attempt = Count("timeToFirstAttempt")
    sending_ip = MildText("sendingIp")
    smtp = Object(SmtpSchema)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; details are Infobip's own delivery attempts and the address that it sent from."""
    detail = known(
        attempts=item.attempt_count,
        time_to_first_attempt_ms=item.time_to_first_attempt,
        sending_ip=item.sending_ip,
    )
    smtp = (item.smtp.response or "") if item.smtp is not None else ""
    count = item.sms_count if item.message_count is None else item.message_count
    return delivery("email", item, raw, context, proven="email", count=count, smtp=smtp, detail=detail)


FAMILY = Family(EmailSchema(), to_report)
