"""Which payload family an item belongs to: one table, first match wins.

The order follows INBOUND facts 1.2. It is decided for each item, because one URL receives delivery, seen and deleted
reports, clicks and inbound messages, and subscriptions mix old and new shapes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from infobip.inbound.events import PLATFORM_EVENTS

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """An item is of `family` if it has all `keys` with a value, `check` agrees, and `channel` is the URL's, if given.

    Presence of keys settles nearly everything and is looked up in a cache; `check` looks at values.
    """

    family: str
    keys: tuple[str, ...]
    check: Callable[[Mapping[str, Any]], bool] | None = None
    channel: str = ""


def _event(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    allowed = frozenset(names)
    return lambda item: isinstance(item["event"], str) and item["event"].upper() in allowed


def _content(member: str, value: str = "") -> Callable[[Mapping[str, Any]], bool]:
    def check(item: Mapping[str, Any]) -> bool:
        content = item["content"]
        return isinstance(content, dict) and member in content and (not value or content[member] == value)

    return check


def _notification(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    allowed = frozenset(names)
    return lambda item: str(item["notificationType"]).upper() in allowed


def _is_phone_click(item: Mapping[str, Any]) -> bool:
    return _notification("CLICKED", "CLICK")(item) and "@" not in str(item.get("recipient", "@"))


def _is_mail(item: Mapping[str, Any]) -> bool:
    return "@" in str(item["to"])


def _is_zalo(item: Mapping[str, Any]) -> bool:
    return str(item["channel"]).upper().startswith("ZALO")


def _is_rcs(item: Mapping[str, Any]) -> bool:
    return str(item["channel"]).upper() == "RCS"


def _is_per_second(item: Mapping[str, Any]) -> bool:
    return isinstance(item["price"], dict) and "pricePerSecond" in item["price"]


def _is_report(item: Mapping[str, Any]) -> bool:
    return isinstance(item["status"], dict) or not item.keys().isdisjoint(("messageId", "bulkId", "to", "doneAt"))


RULES: Final[tuple[Rule, ...]] = (
    # Single objects with a mark of their own.
    Rule("oneapi", ("deliveryInfoNotification",)),
    Rule("oneapi-hlr", ("terminalRoamingStatusList",)),
    Rule("marketing-click", ("notificationType",), _notification("MARKETING_CLICK")),
    Rule("click", ("notificationType", "geoLocationInfo")),
    Rule("click", ("notificationType",), _is_phone_click),
    Rule("email-tracking", ("notificationType",)),
    Rule("email-event", ("eventId", "eventDetails")),
    Rule("calls", ("type", "timestamp", "callId")),
    Rule("calls", ("type", "timestamp", "conferenceId")),
    Rule("calls", ("type", "timestamp", "dialogId")),
    Rule("calls", ("type", "timestamp", "bulkId")),
    Rule("call-link", ("callLinkId",)),
    Rule("number-masking", ("nmCorrelationId",)),
    Rule("mobile-identity", ("token", "result")),
    Rule("mobile-identity", ("token", "niAttributes")),
    Rule("mobile-identity", ("token", "error")),
    Rule("rcs-capability", ("capabilityCheckResult",)),
    Rule("moments", ("operationId", "participants")),
    Rule("whatsapp-marketing", ("content",), _content("notificationMessagesStatus")),
    Rule("whatsapp-identity", ("content",), _content("type", "user_identity_changed")),
    Rule("whatsapp-payment", ("content",), _content("type", "payment")),
    Rule("template", ("messageTemplateId",)),
    Rule("platform", ("requestId", "status", "response")),
    Rule("platform", ("requestId", "status", "failureMessage")),
    # Items that name their event.
    Rule("rcs-activity", ("event",), lambda item: isinstance(item["event"], dict)),
    Rule("rcs-activity", ("event",), _event("TYPING_STARTED", "TYPING_STOPPED", "TYPING_INDICATOR")),
    Rule("messages-api", ("event",), _event("DELIVERY")),
    Rule("seen", ("event",), _event("SEEN")),
    Rule("deleted", ("event",), _event("DELETED")),
    Rule("inbound", ("event",), _event("MO", "INBOUND_MESSAGE", "INBOUND")),
    Rule("click", ("event",), _event("CLICK", "CLICKED")),
    Rule("blocklist", ("event",), _event("BLOCK", "UNBLOCK")),
    Rule("consent", ("event",), _event("SUBSCRIBE", "UNSUBSCRIBE", "CONSENT_UPDATE")),
    Rule("platform", ("event",), _event(*PLATFORM_EVENTS)),
    # Items that a member gives away.
    Rule("seen", ("seenAt",)),
    Rule("deleted", ("deletedAt",)),
    Rule(UNKNOWN, ("event",)),
    Rule("email-inbound", ("envelope", "from")),
    Rule("email-inbound", ("spfCheck",)),
    Rule("email-inbound", ("subject", "from", "html")),
    Rule("inbound", ("receivedAt",)),
    Rule("number-lookup", ("originalNetwork",)),
    Rule("number-lookup", ("ported",)),
    Rule("number-lookup", ("to", "status"), channel="number-lookup"),
    Rule("voice", ("voiceCall",)),
    Rule("voice-legacy", ("status", "startTime")),
    Rule("voice-legacy", ("status", "answerTime")),
    Rule("voice-legacy", ("status", "endTime")),
    Rule("pre-2015", ("donedate",)),
    Rule("pre-2015", ("sentdate",)),
    Rule("pre-2015", ("gsmerror",)),
    # Delivery reports by shape.
    Rule("email", ("status", "attemptCount")),
    Rule("email", ("status", "timeToFirstAttempt")),
    Rule("email", ("status", "sendingIp")),
    Rule("email", ("status", "smtp")),
    Rule("email", ("status", "browserLink")),
    Rule("email", ("status", "smsCount", "to"), _is_mail),
    Rule("rcs", ("status", "conversation")),
    Rule("rcs", ("status", "interactionType")),
    Rule("rcs", ("status", "channel"), _is_rcs),
    Rule("zalo", ("status", "channel"), _is_zalo),
    Rule("messages-api", ("status", "destination")),
    Rule("omni", ("status", "channel")),
    Rule("mms-legacy", ("status", "mmsCount")),
    Rule("mms-legacy", ("status", "smsCount"), channel="mms"),
    Rule("sms-legacy", ("status", "smsCount")),
    Rule("whatsapp", ("status", "contact")),
    Rule("whatsapp", ("status",), channel="whatsapp"),
    Rule("unified", ("status", "messageCount")),
    Rule("voice", ("status", "price"), _is_per_second),
    Rule("unified", ("status",), _is_report),
)

_MOST_KEYS: Final = 64


def classify(item: Mapping[str, Any], channel: str) -> str:
    """Return the name of the family of `item`, or `unknown`. `channel` is the URL's."""
    keys = tuple(item)
    for rule in _candidates(keys, channel) if len(keys) <= _MOST_KEYS else _matching(keys, channel):
        for key in rule.keys:
            value = item[key]
            if value is None or value == "":
                break
        else:
            if rule.check is None or rule.check(item):
                return rule.family
    return UNKNOWN


def _matching(keys: tuple[str, ...], channel: str) -> tuple[Rule, ...]:
    present = frozenset(keys)
    return tuple(rule for rule in RULES if present.issuperset(rule.keys) and rule.channel in ("", channel))


# Infobip's items come in a few dozen sets of keys; looking a set up costs a hundredth of trying every rule.
_candidates = lru_cache(maxsize=1024)(_matching)
