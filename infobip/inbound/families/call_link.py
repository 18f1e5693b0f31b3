"""The status of a call link (Infobip OpenAPI 3.210.0). It has no time of its own."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import code, known, text_in
from infobip.inbound.channels import choose
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, Text
from infobip.inbound.schema import CodeSchema, Object, WireSchema
from reports import Event, Report


class CallLinkSchema(WireSchema):
    """A call that was started from a link has ended."""

    identified_by = ("call_link_id",)

    call_link_id = Text("callLinkId")
    details = Anything("callDetails")
    error = Object(CodeSchema, "errorCode")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report."""
    return Report(
        Event.OTHER,
        "CALL_LINK_STATUS",
        "call-link",
        raw,
        account=context.account,
        channel=choose("", context.channel, "calls"),
        error=code(item.error),
        detail=known(
            call_link_id=item.call_link_id,
            call_type=text_in(item.details, "type"),
            dialog_id=text_in(item.details, "dialogId"),
            hangup_source=text_in(item.details, "hangupSource"),
        ),
    )


FAMILY = Family(CallLinkSchema(), to_report)
