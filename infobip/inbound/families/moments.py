"""Operation reports of Moments (INBOUND facts: the form of the pull report; the push is taken to be the same)."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import known
from infobip.inbound.channels import choose
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import WireSchema
from reports import Event, Report


class MomentsSchema(WireSchema):
    """Which participants could be added to a flow."""

    identified_by = ("operation_id",)

    operation_id = Text("operationId")
    campaign_id = MildText("campaignId")
    callback_data = MildText("callbackData")
    participants = Anything()


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; `participants` counts them by status."""
    people = item.participants if isinstance(item.participants, list) else []
    statuses = Counter(str(one.get("status", "")) for one in people if isinstance(one, dict))
    return Report(
        Event.OTHER,
        "FLOW_OPERATION",
        "moments",
        raw,
        account=context.account,
        channel=choose("", context.channel, "flow"),
        callback_data=item.callback_data or "",
        campaign=item.campaign_id or "",
        detail=known(operation_id=item.operation_id, participants=dict(sorted(statuses.items()))),
    )


FAMILY = Family(MomentsSchema(), to_report)
