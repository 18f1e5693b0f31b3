"""Voice delivery reports since July 2020 (Infobip OpenAPI 3.210.0).

The error tells how the call ended, also of a delivered one (5000 VOICE_ANSWERED), there is no `doneAt` and no count,
and the price is per second.
"""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery, iso, known, number, with_bad_dates
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Amount, Anything, Count, MildText
from infobip.inbound.schema import DeliverySchema, Object, WireSchema
from reports import Report


class IvrSchema(WireSchema):
    """What an interactive call collected; `collectedDtmfs` is JSON inside a text."""

    scenario_id = MildText("scenarioId")
    collected_dtmfs = MildText("collectedDtmfs")
    spoken_input = MildText("spokenInput")


class VoiceCallSchema(WireSchema):
    """The call itself; durations are in seconds."""

    feature = MildText()
    start_time = Anything("startTime")
    answer_time = Anything("answerTime")
    end_time = Anything("endTime")
    duration = Amount()
    charged_duration = Count("chargedDuration")
    file_duration = Amount("fileDuration")
    dtmf = MildText("dtmfCodes")
    answered_by = MildText("answeredBy")
    direction = MildText()
    ivr = Object(IvrSchema)


class VoiceSchema(DeliverySchema):
    """A delivery report of one call."""

    call = Object(VoiceCallSchema, "voiceCall")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; `event_at` is when the call ended."""
    call = item.call
    if call is None:
        return delivery("voice", item, raw, context, proven="voice")
    started, answered, ended = parse(call.start_time), parse(call.answer_time), parse(call.end_time)
    ivr = call.ivr
    detail = known(
        feature=call.feature,
        started_at=iso(started),
        answered_at=iso(answered),
        ended_at=iso(ended),
        duration_s=number(call.duration),
        pulse=call.charged_duration,
        file_duration_s=number(call.file_duration),
        dtmf=call.dtmf,
        answered_by=call.answered_by,
        direction=call.direction,
        scenario_id=ivr.scenario_id if ivr is not None else None,
        collected_dtmfs=ivr.collected_dtmfs if ivr is not None else None,
        spoken_input=ivr.spoken_input if ivr is not None else None,
    )
    detail = with_bad_dates(
        detail,
        startTime=(call.start_time, started),
        answerTime=(call.answer_time, answered),
        endTime=(call.end_time, ended),
    )
    return delivery("voice", item, raw, context, proven="voice", ended_at=ended, detail=detail)


FAMILY = Family(VoiceSchema(), to_report)
