"""What is known of a resend at the moment at which it is about to leave."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from config.accounts import Account
from policy import Purpose
from policy.leaving import Situation
from policy.rules import Limits, Rules
from policy.waking import awake_at
from reports.states import REACHED
from reports.zones import zones_of
from store import blocks, messages, pauses, resending, sends
from store.blocks import Asked, Block
from store.messages import Message
from store.pauses import ALL, Pause, Scope
from store.resending import Cost, Resend
from store.schema import reports
from store.sends import Content, Send
from workers.scopes import scopes

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
# A price that is not known counts as the dearest that was paid in this time.
_PRICES: Final = timedelta(days=90)
# A share of little is nothing: so many resends a day are always allowed.
_ALWAYS: Final = 10
_MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds about a resend, read in one transaction with its message locked."""

    message: Message | None
    send: Send | None
    content: Content | None
    cost: Cost
    situation: Situation


def gather(
    connection: Connection,
    one: Resend,
    rules: Rules,
    account: Account,
    content: Content | None,
    address: str,
    now: datetime,
    *,
    has_credential: bool,
) -> Known:
    """Read everything that speaks for or against the resend, and lock its message.

    `address` is the recipient's, as the stored request has it; empty where nothing is stored.
    """
    message = messages.find(connection, [one.message_key]).get(one.message_key)
    send = sends.find(connection, [one.message_key]).get(one.message_key)
    limits = limits_of(rules.limits, account)
    purpose = _purpose(rules, send, message, one.account)
    channel = one.channel or (send.channel if send else "")
    block = _block(connection, one, send, channel, purpose, now)
    cost = _cost(connection, one, now)
    zones: Sequence[ZoneInfo] = zones_of(address) or (account.zone,)
    held = _pause(connection, one, send, message, address, now)
    latest = resending.latest_attempt(connection, one.account, one.message_key)
    situation = Situation(
        moment=now,
        give_up_at=one.give_up_at,
        not_after=not_after(send, message, purpose, limits),
        purpose=purpose,
        reached=message is not None and message.state in REACHED,
        superseded=latest > one.attempt,
        suppressed=block.cause if block is not None and not block.flags else "",
        flagged=(send is not None and send.flagged) or (block is not None and block.flags),
        obstacle=_obstacle(send),
        has_content=content is not None,
        has_credential=has_credential,
        switched_off=held.why if held and held.scope.kind == ALL else "",
        paused=f"{held.scope}: {held.why}" if held and held.scope.kind != ALL else "",
        paused_until=held.until if held else None,
        sent_last_hour=_sent_to(connection, one, now),
        per_hour=limits.per_recipient_hour,
        over_budget=_over_budget(connection, one.account, limits, cost, now),
        awake_at=awake_at(now, zones, account.quiet),
    )
    return Known(message, send, content, cost, situation)


def limits_of(limits: Limits, account: Account) -> Limits:
    """Return the policy's limits with what the account sets otherwise."""
    names = ("per_recipient_hour", "resends_per_day", "resends_share", "money_per_day")
    own = {name: value for name in names if (value := getattr(account, name)) is not None}
    return replace(limits, **own)


def not_after(send: Send | None, message: Message | None, purpose: Purpose, limits: Limits) -> datetime | None:
    """Return when the message loses its worth."""
    if send is None:
        return message.first_at + limits.otp_not_after if message and purpose is Purpose.OTP else None
    if send.not_after is not None:
        return send.not_after
    return send.sent_at + limits.otp_not_after if purpose is Purpose.OTP else None


def _purpose(rules: Rules, send: Send | None, message: Message | None, account: str) -> Purpose:
    if send is None:
        sender = message.sender if message else ""
        return rules.purposes.of_send(Purpose.UNDECLARED, account, campaign="", sender=sender, application="")
    return rules.purposes.of_send(
        Purpose(send.purpose), account, campaign=send.campaign, sender=send.sender, application=send.application
    )


def _block(
    connection: Connection, one: Resend, send: Send | None, channel: str, purpose: Purpose, now: datetime
) -> Block | None:
    asked = Asked(
        address=one.recipient,
        channel=channel,
        sender=send.sender if send else "",
        campaign=send.campaign if send else "",
        purpose=purpose.value,
    )
    return blocks.blocking(connection, one.account, [asked], now)[0]


def _obstacle(send: Send | None) -> str:
    if send is None:
        return ""
    if send.obstacle:
        return send.obstacle
    return "Infobip itself repeats it" if send.repeats else ""


def _pause(
    connection: Connection, one: Resend, send: Send | None, message: Message | None, address: str, now: datetime
) -> Pause | None:
    """Return the pause that holds it, the widest first."""
    found = pauses.find(connection, one.account, scopes_of(send, message, address))
    found += pauses.find(connection, "", [Scope(ALL)])
    standing = [one for one in found if one.until is None or one.until > now]
    return min(standing, key=lambda one: (one.scope.kind != ALL, one.since), default=None)


def scopes_of(send: Send | None, message: Message | None, address: str) -> list[Scope]:
    """Return every scope that a message belongs to."""
    sender = (send.sender if send else "") or (message.sender if message else "")
    brand = (send.campaign or send.application) if send else ""
    return scopes(network=message.mcc_mnc if message else "", sender=sender, brand=brand, address=address)


def _sent_to(connection: Connection, one: Resend, now: datetime) -> int:
    since = now - _HOUR
    own = resending.sent_to_since(connection, one.recipient, since)
    return own + sends.left_since(connection, one.account, one.recipient, since)


def _cost(connection: Connection, one: Resend, now: datetime) -> Cost:
    facts = connection.scalar(select(reports.c.facts).where(reports.c.id == one.report_id))
    found = json.loads(facts) if facts else {}
    try:
        price = Decimal(str(found["price"]))
        if price.is_finite() and price >= 0:
            return Cost(int(price * _MICROS), str(found.get("currency", ""))[:8])
    except (KeyError, InvalidOperation):
        pass
    return Cost(resending.dearest(connection, one.account, now - _PRICES))


def _over_budget(connection: Connection, account: str, limits: Limits, cost: Cost, now: datetime) -> str:
    since = now - _DAY
    count, micros = resending.sent_since(connection, account, since)
    if count >= limits.resends_per_day:
        return f"{count} resends left within 24 hours, as many as are allowed"
    if micros + cost.micros > limits.money_per_day * _MICROS:
        return f"resends of 24 hours would cost more than {limits.money_per_day:g}"
    if count >= _ALWAYS:
        registered = sends.count_since(connection, account, since)
        if count >= limits.resends_share * registered:
            return f"{count} resends within 24 hours are {limits.resends_share:.0%} of what was sent"
    return ""
