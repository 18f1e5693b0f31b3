"""E-mails that people send to us: multipart/form-data, with JSON in some of its fields (Infobip OpenAPI 3.210.0)."""

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

from infobip.inbound.assemble import address, known, text_in
from infobip.inbound.channels import choose
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import WireSchema
from reports import Event, Report


class EmailInboundSchema(WireSchema):
    """One e-mail. `envelope` holds the bare addresses, `from` and `to` what the mail's own header says."""

    identified_by = ("id", "message_id", "from_", "envelope")

    id = Text()
    message_id = Text("messageId")
    from_ = MildText("from")
    to = MildText()
    subject = MildText()
    text = MildText()
    envelope = Anything()
    spf_check = MildText("spfCheck")
    dkim_check = Anything("dkimCheck")
    sender_ip = MildText("senderIp")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report: `recipient` is the person who wrote, `sender` the address of ours that it went to."""
    ours = text_in(item.envelope, "to") or parseaddr((item.to or "").strip("[] "))[1]
    return Report(
        Event.INBOUND,
        "INBOUND_MESSAGE",
        "email-inbound",
        raw,
        account=context.account,
        channel=choose("", context.channel, "email"),
        message_id=item.message_id or item.id or "",
        recipient=address(text_in(item.envelope, "from") or parseaddr(item.from_ or "")[1]),
        sender=ours,
        detail=known(
            text=item.text,
            subject=item.subject,
            spf=item.spf_check,
            dkim=text_in(item.dkim_check, "result"),
            sender_ip=item.sender_ip,
        ),
    )


FAMILY = Family(EmailInboundSchema(), to_report)
