"""Legacy OneAPI notifications of 2012 to 2014: delivery reports, which have no message id, and HLR look-ups."""

from collections.abc import Mapping
from typing import Any, Final

from codes.ref import CodeRef
from infobip.inbound.assemble import address, code_ref, decimal_text, known, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Amount, Anything, Flag, MildText, Text, Whole
from infobip.inbound.schema import Object, WireSchema
from reports import Event, Report

# GSMA OneAPI's words, in the groups that Infobip uses today. DeliveryUncertain is none of them.
GROUPS: Final[dict[str, tuple[int, str]]] = {
    "DeliveredToTerminal": (3, "DELIVERED"),
    "DeliveredToNetwork": (1, "PENDING"),
    "MessageWaiting": (1, "PENDING"),
    "DeliveryImpossible": (2, "UNDELIVERABLE"),
}


class DeliveryInfoSchema(WireSchema):
    """One recipient's state."""

    identified_by = ("address",)

    address = Text()
    status = MildText("deliveryStatus")
    message_id = Text("messageId")


class NotificationSchema(WireSchema):
    """What the envelope holds."""

    info = Object(DeliveryInfoSchema, "deliveryInfo", strict=True)
    callback_data = MildText("callbackData")


class OneApiSchema(WireSchema):
    """A delivery report."""

    identified_by = ("notification",)

    notification = Object(NotificationSchema, "deliveryInfoNotification", strict=True)


class ExtendedSchema(WireSchema):
    """Infobip's additions to a look-up."""

    status_id = Whole("statusId")
    error_id = Whole("gsmErrorCode")
    done_time = Anything("doneTime")
    per_message = Amount("pricePerMessage")
    mcc_mnc = Text("mccMnc")
    original_network = MildText("originalNetworkName")
    ported_network = MildText("portedNetworkName")
    ported = Flag("isNumberPorted")
    roaming = Flag("numberInRoaming")


class RoamingSchema(WireSchema):
    """One number's state."""

    identified_by = ("address",)

    address = Text()
    retrieval_status = MildText("retrievalStatus")
    extended = Object(ExtendedSchema, "extendedData")
    callback_data = MildText("callbackData")


class RoamingListSchema(WireSchema):
    """What the envelope of look-ups holds."""

    roaming = Object(RoamingSchema, strict=True)


class OneApiHlrSchema(WireSchema):
    """A look-up."""

    identified_by = ("notification",)

    notification = Object(RoamingListSchema, "terminalRoamingStatusList", strict=True)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a delivery notification."""
    notification = item.notification
    info = notification.info
    return Report(
        Event.DELIVERY,
        "DELIVERY",
        "oneapi",
        raw,
        account=context.account,
        channel=choose("", context.channel, "sms"),
        message_id=(info.message_id or "") if info is not None else "",
        recipient=_recipient(info.address) if info is not None else "",
        status=_status(info.status or "") if info is not None else None,
        callback_data=notification.callback_data or "",
    )


def _recipient(text: str | None) -> str:
    return address((text or "").removeprefix("tel:"))  # GSMA OneAPI writes addresses as URIs


def _status(word: str) -> CodeRef | None:
    return code_ref(None, word, *GROUPS.get(word, (None, "")))


def to_look_up(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a look-up."""
    roaming = item.notification.roaming
    extended = roaming.extended if roaming is not None else None
    parts: dict[str, Any] = {}
    if extended is not None:
        done_at = parse(extended.done_time)
        detail = known(
            retrieval_status=roaming.retrieval_status,
            ported=extended.ported,
            roaming=extended.roaming,
            original_network=extended.original_network,
            ported_network=extended.ported_network,
        )
        parts = {
            "status": code_ref(extended.status_id, ""),
            "error": code_ref(extended.error_id, ""),
            "done_at": done_at,
            "event_at": done_at,
            "price": "" if extended.per_message is None else decimal_text(extended.per_message),
            "mcc_mnc": extended.mcc_mnc or "",
            "detail": with_bad_dates(detail, doneTime=(extended.done_time, done_at)),
        }
    return Report(
        Event.LOOKUP,
        "NUMBER_LOOKUP",
        "oneapi-hlr",
        raw,
        account=context.account,
        channel=choose("", context.channel, "number-lookup"),
        recipient=_recipient(roaming.address) if roaming is not None else "",
        callback_data=(roaming.callback_data or "") if roaming is not None else "",
        **parts,
    )


FAMILY = Family(OneApiSchema(), to_report)
HLR_FAMILY = Family(OneApiHlrSchema(), to_look_up)
