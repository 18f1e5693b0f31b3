"""Mobile identity results (Infobip OpenAPI 3.210.0). Without attributes, `niAttributes` is the text "null"."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import code, known, text_in
from infobip.inbound.channels import choose
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import CodeSchema, Object, WireSchema
from reports import Event, Report


class MobileIdentitySchema(WireSchema):
    """The result of a silent verification or of a number intelligence query."""

    identified_by = ("token",)

    token = Text()
    result = MildText()
    status = MildText()
    attributes = Anything("niAttributes")
    error = Object(CodeSchema)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; the token is what ties it to the request."""
    attributes = item.attributes if isinstance(item.attributes, dict) else {}
    sim_swap = attributes.get("simSwap")
    swapped = sim_swap.get("simSwapOccurred") if isinstance(sim_swap, dict) else None
    return Report(
        Event.OTHER,
        "SILENT_VERIFICATION" if item.attributes is None and item.result else "NUMBER_INTELLIGENCE",
        "mobile-identity",
        raw,
        account=context.account,
        channel=choose("", context.channel, "mobile-identity"),
        error=code(item.error),
        detail=known(
            token=item.token,
            result=item.result,
            verification_status=item.status,
            sim_swapped=swapped if isinstance(swapped, bool) else None,
            identity_number=text_in(attributes, "nationalIdentityNumber", "match"),
        ),
    )


FAMILY = Family(MobileIdentitySchema(), to_report)
