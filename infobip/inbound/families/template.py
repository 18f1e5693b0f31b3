"""Message templates: approved, rejected, paused, rated anew (WhatsApp; Infobip OpenAPI 3.210.0)."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import known, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import Object, WireSchema
from reports import Event, Report


class ChangeSchema(WireSchema):
    """What changed."""

    type = MildText()
    new_status = MildText("newStatus")
    new_quality = MildText("newQuality")
    new_category = MildText("newCategory")
    reason = MildText()


class TemplateSchema(WireSchema):
    """A template's change; entity and application come as numbers."""

    identified_by = ("template_id",)

    template_id = Text("messageTemplateId")
    name = MildText("messageTemplateName")
    language = MildText("messageTemplateLanguage")
    timestamp = Anything()
    change = Object(ChangeSchema)
    entity_id = MildText("entityId")
    application_id = MildText("applicationId")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; `status` is APPROVED, REJECTED, PAUSED and the like."""
    change, timestamp = item.change, parse(item.timestamp)
    changed = known()
    if change is not None:
        changed = known(
            change=change.type,
            status=change.new_status,
            quality=change.new_quality,
            category=change.new_category,
            reason=change.reason,
        )
    detail = known(template_id=item.template_id, template=item.name, language=item.language, **changed)
    return Report(
        Event.OTHER,
        "TEMPLATE_UPDATE",
        "template",
        raw,
        account=context.account,
        channel=choose("", context.channel, "whatsapp"),
        event_at=timestamp,
        application=item.application_id or "",
        entity=item.entity_id or "",
        detail=with_bad_dates(detail, timestamp=(item.timestamp, timestamp)),
    )


FAMILY = Family(TemplateSchema(), to_report)
