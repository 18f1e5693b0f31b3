"""From the parts of a valid item to a `Report`: what all families have in common."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from codes.ref import CodeRef
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.draft import finish, new_draft
from infobip.inbound.family import Context
from reports import NOTHING, Event, Report, normalise

# No price or duration is this large; a number that is would be written out in hundreds of digits.
_ABSURD: Final = 10**12
# Reading a member of an enum costs more than a name of the module.
_DELIVERY: Final = Event.DELIVERY


def delivery(
    family: str,
    item: Any,
    raw: Mapping[str, Any],
    context: Context,
    *,
    proven: str = "",
    recipient: str | None = None,
    count: int | None = None,
    ended_at: datetime | None = None,
    smtp: str = "",
    detail: Mapping[str, Any] = NOTHING,
) -> Report:
    """Return the report of a delivery item whose schema is a `DeliverySchema`.

    `proven` is the channel that the family itself proves. `recipient`, `count`, `ended_at` (when a call ended),
    `smtp` and `detail` come from families that keep them elsewhere.
    """
    sent, done = item.sent_at, item.done_at
    sent_at = parse(sent) if sent else None
    done_at = parse(done) if done else None
    if (sent and sent_at is None) or (done and done_at is None):
        detail = with_bad_dates(detail, sentAt=(sent, sent_at), doneAt=(done, done_at))
    draft = _draft_of(item, context, proven)
    draft.event = _DELIVERY
    draft.kind = "DELIVERY"
    draft.family = family
    draft.raw = raw
    draft.recipient = address(item.to if recipient is None else recipient)
    draft.status = code(item.status)
    draft.error = code(item.error)
    draft.sent_at = sent_at
    draft.done_at = done_at
    draft.event_at = done_at or ended_at or sent_at
    draft.count = item.message_count if count is None else count
    draft.smtp = smtp
    draft.detail = detail
    return finish(draft)


def _draft_of(item: Any, context: Context, proven: str) -> Any:
    """Do what `common` does, and the rest that needs no argument, as a draft."""
    draft = new_draft()
    own, network = item.channel or "", item.mcc_mnc or ""
    price, platform = item.price, item.platform
    draft.account = context.account
    draft.channel = choose(own, context.channel, proven)
    draft.own_channel = own
    draft.message_id = item.message_id or ""
    draft.event_id = ""
    draft.bulk_id = item.bulk_id or context.bulk_id
    draft.sender = item.sender or item.from_ or ""
    draft.price = price_of(price) if price is not None else ""
    draft.currency = (price.currency or "") if price is not None else ""
    draft.mcc_mnc = network if type(network) is str else str(network)
    draft.callback_data = item.callback_data or ""
    draft.application = (platform.application_id if platform is not None else item.application_id) or ""
    draft.entity = (platform.entity_id if platform is not None else item.entity_id) or ""
    draft.campaign = item.campaign or ""
    return draft


def common(item: Any, context: Context, *, own: str = "", proven: str = "") -> dict[str, Any]:
    """Return what every report on a `MessageSchema` item has, as arguments of `Report`.

    `own` is the channel that the item names, where it isn't in `item.channel`.
    """
    own = own or item.channel or ""
    platform, price = item.platform, item.price
    return {
        "account": context.account,
        "channel": choose(own, context.channel, proven),
        "own_channel": own,
        "message_id": item.message_id or "",
        "bulk_id": item.bulk_id or context.bulk_id,
        "callback_data": item.callback_data or "",
        "application": (platform.application_id if platform is not None else item.application_id) or "",
        "entity": (platform.entity_id if platform is not None else item.entity_id) or "",
        "campaign": item.campaign or "",
        "price": price_of(price) if price is not None else "",
        "currency": (price.currency or "") if price is not None else "",
    }


@lru_cache(maxsize=1024)
def code(part: Any) -> CodeRef | None:
    """Return the `CodeRef` of a status or error object (a `CodeSchema` item), or None where it is absent or empty.

    Reports repeat few codes and prices, hence the caches here and below.
    """
    if part is None:
        return None
    return code_ref(part.id, part.name or "", part.group_id, part.group or "", part.permanent)


def code_ref(
    number: int | None, name: str, group_id: int | None = None, group: str = "", permanent: bool | None = None
) -> CodeRef | None:
    """Return the `CodeRef` with these values, or None if they say nothing."""
    if number is None and group_id is None and not (name or group):
        return None
    return CodeRef(number, name, group_id, group, permanent)


def address(text: str | None) -> str:
    """Return `text` as `normalise` does, and the empty text where there is none."""
    return normalise(text) if text else ""


@lru_cache(maxsize=1024)
def price_of(price: Any) -> str:
    """Return the price per message, or per second where only that is given, as decimal text."""
    amount = price.per_second if price.per_message is None else price.per_message
    return "" if amount is None else decimal_text(amount)


def decimal_text(amount: float | str) -> str:
    """Return an amount as plain decimal text without float noise, or the empty string if it is no sensible amount.

    Numbers such as 0.01000000000000000020816681711721685132943 are how Infobip's XML writes the float 0.01: beyond
    the fifteen digits that a float can hold exactly, digits are noise.
    """
    try:
        number = Decimal(str(amount).strip())
        if not number.is_finite() or abs(number) >= _ABSURD:
            return ""
        if len(number.as_tuple().digits) > 15:
            number = Decimal(f"{float(number):.15g}")
    except InvalidOperation:
        return ""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def number(amount: Any) -> float | int | None:
    """Return an amount, such as a duration, as a number, or None."""
    text = "" if amount is None else decimal_text(amount)
    if not text:
        return None
    value = float(text)
    return int(value) if value.is_integer() else value


def iso(moment: datetime | None) -> str | None:
    """Return a moment as text, since details hold nothing but what JSON has."""
    return None if moment is None else moment.isoformat()


def with_bad_dates(detail: Mapping[str, Any], **dates: tuple[Any, datetime | None]) -> Mapping[str, Any]:
    """Return `detail` plus `bad_dates`: the dates (wire name -> what came, what was read) that could not be read."""
    bad = {name: str(value)[:100] for name, (value, read) in dates.items() if value and read is None}
    return {**detail, "bad_dates": bad} if bad else detail


def first(*moments: datetime | None) -> datetime | None:
    """Return the first moment that is known."""
    return next((moment for moment in moments if moment is not None), None)


def known(**detail: Any) -> Mapping[str, Any]:
    """Return the details that say something, as what `Report.detail` holds."""
    return {name: value for name, value in detail.items() if value is not None and value != ""} or NOTHING


def text_in(value: Any, *path: str) -> str:
    """Return the text or number at `path` inside nested objects as text, or the empty string."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
