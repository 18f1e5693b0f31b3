"""Voice delivery reports as before July 2020 (Infobip OpenAPI 3.210.0): flat, with epoch milliseconds in JSON."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import delivery, iso, known, number, with_bad_dates
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Amount, Anything, MildText
from infobip.inbound.schema import DeliverySchema
from reports import Report


class VoiceLegacySchema(DeliverySchema):
    """A delivery report of one call; durations are in seconds."""

    start_time = Anything("startTime")
    answer_time = Anything("answerTime")
    end_time = Anything("endTime")
    duration = Amount()
    file_duration = Amount("fileDuration")
    dtmf = MildText("dtmfCodes")
    collected_dtmfs = MildText("dtmfCodesAsJson")
    scenario_id = MildText("scenarioId")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; where there is no `doneAt`, it happened when the call ended."""
    started, answered, ended = parse(item.start_time), parse(item.answer_time), parse(item.end_time)
    detail = known(
        started_at=iso(started),
        answered_at=iso(answered),
        ended_at=iso(ended),
        duration_s=number(item.duration),
        file_duration_s=number(item.file_duration),
        dtmf=item.dtmf,
        collected_dtmfs=item.collected_dtmfs,
        scenario_id=item.scenario_id,
    )
    detail = with_bad_dates(
        detail,
        startTime=(item.start_time, started),
        answerTime=(item.answer_time, answered),
        endTime=(item.end_time, ended),
    )
    return delivery("voice-legacy", item, raw, context, proven="voice", ended_at=ended, detail=detail)


FAMILY = Family(VoiceLegacySchema(), to_report)
