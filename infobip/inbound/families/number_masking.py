"""Number masking (Infobip OpenAPI 3.210.0): `status` is a text here, and times have no zone."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import address, decimal_text, first, known, number, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Amount, Anything, MildText, Text
from infobip.inbound.schema import WireSchema
from reports import Event, Report


class NumberMaskingSchema(WireSchema):
    """A question whom to call (no `action`), or the report of a masked call."""

    identified_by = ("correlation_id",)

    correlation_id = Text("nmCorrelationId")
    action = MildText()
    from_ = MildText("from")
    to = Text()
    transfer_to = Text("transferTo")
    status = MildText()
    duration = Amount()
    ringing_time = Anything("ringingTime")
    answered_time = Anything("answeredTime")
    per_second = Amount("pricePerSecond")
    currency = MildText()
    client_reference_id = MildText("clientReferenceId")
    answered_by = MildText("machineDetectionResult")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; `recipient` is who was called behind the mask, `sender` who called."""
    ringing, answered = parse(item.ringing_time), parse(item.answered_time)
    detail = known(
        correlation_id=item.correlation_id,
        action=item.action,
        call_status=item.status,
        duration_s=number(item.duration),
        answered_by=item.answered_by,
        client_reference_id=item.client_reference_id,
    )
    return Report(
        Event.OTHER,
        "NUMBER_MASKING" if item.action or item.status else "NUMBER_MASKING_TARGET",
        "number-masking",
        raw,
        account=context.account,
        channel=choose("", context.channel, "calls"),
        recipient=address(item.transfer_to or item.to),
        sender=item.from_ or "",
        event_at=first(answered, ringing),
        price="" if item.per_second is None else decimal_text(item.per_second),
        currency=item.currency or "",
        detail=with_bad_dates(
            detail, ringingTime=(item.ringing_time, ringing), answeredTime=(item.answered_time, answered)
        ),
    )


FAMILY = Family(NumberMaskingSchema(), to_report)
