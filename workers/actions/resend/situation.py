"""What is known of a resend at the moment at which it is about to leave."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from config.accounts import Account
from policy import Purpose
from policy.decide import NEVER_RESENT
from policy.leaving import Situation
from policy.rules import Limits, Rules
from policy.waking import awake_at
from reports import mail_domain
from reports.states import REACHED
from reports.zones import zones_of
from store import blocks, messages, resending, sends
from store.blocks import Asked, Block
from store.messages import Message
from store.pauses import Scope
from store.resending import Cost, Resend
from store.schema import reports
from store.sends import Content, Send
from store.vault import Vault
from workers.actions.resend import gate as gates
from workers.actions.resend.gate import Gate
from workers.actions.resend.request import Person, has_content, person_of
from workers.scopes import scopes

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
# A price that is not known counts as the dearest that was paid in this time.
_PRICES: Final = timedelta(days=90)
# A share of little is nothing: so many resends a day are always allowed.
_ALWAYS: Final = 10
_MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """Where a resend goes, and whether there is what that takes."""

    person: Person
    has_content: bool
    has_credential: bool

    @classmethod
    def of(
        cls, vault: Vault, one: Resend, send: Send | None, content: Content | None, *, has_credential: bool
    ) -> "Target":
        """Return the target of a resend of which the register knows `send` and `content`."""
        return cls(person_of(vault, one, send, content), has_content(one, send, content), has_credential)


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds about a resend, read in one transaction with its message locked."""

    message: Message | None
    send: Send | None
    cost: Cost
    gate: Gate
    situation: Situation
    address: str = field(default="", repr=False)
    """The recipient's, normalised; empty where nothing is stored."""


def gather(
    connection: Connection,
    one: Resend,
    rules: Rules,
    account: Account,
    target: Target,
    now: datetime,
) -> Known:
    """Read everything that speaks for or against the resend, and lock its message."""
    message = messages.find(connection, [one.message_key]).get(one.message_key)
    send = sends.find(connection, [one.message_key]).get(one.message_key)
    limits = limits_of(rules.limits, account)
    purpose = _purpose(rules, send, message, one.account)
    address = target.person.address
    block = _block(connection, one, send, target, purpose, now)
    cost = _cost(connection, one, now)
    zones: Sequence[ZoneInfo] = zones_of(address) or (account.zone,)
    gate = gates.read(connection, one.account, scopes_of(send, message, address), limits.pause_share, now)
    worthless = not_after(send, message, purpose, limits)
    latest = resending.latest_attempt(connection, one.account, one.message_key)
    situation = Situation(
        moment=now,
        give_up_at=one.give_up_at,
        not_after=worthless,
        purpose=purpose,
        reached=message is not None and message.state in REACHED,
        superseded=latest > one.attempt,
        suppressed=block.cause if block is not None and not block.flags else "",
        flagged=(send is not None and send.flagged) or (block is not None and block.flags),
        obstacle=_obstacle(send),
        has_content=target.has_content,
        has_credential=target.has_credential,
        switched_off=gate.stopped.why if gate.stopped else "",
        paused=gate.why,
        paused_until=gate.until(min(one.give_up_at, worthless or one.give_up_at)),
        sent_last_hour=_sent_to(connection, one, now),
        per_hour=limits.per_recipient_hour,
        over_budget=_over_budget(connection, one.account, limits, cost, now),
        awake_at=awake_at(now, zones, account.quiet),
    )
    return Known(message, send, cost, gate, situation, address)


def is_held(
    connection: Connection, one: Resend, send: Send | None, address: str, limits: Limits, now: datetime
) -> bool:
    """Whether a pause holds it back at first sight: nothing is locked, and it is asked again before it leaves."""
    message = messages.find(connection, [one.message_key], lock=False).get(one.message_key)
    return gates.look(connection, one.account, scopes_of(send, message, address), limits.pause_share, now).holds


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
    connection: Connection, one: Resend, send: Send | None, target: Target, purpose: Purpose, now: datetime
) -> Block | None:
    """Return what blocks it: by the way that it takes, from either sender; or what no way may follow at all."""
    person = target.person
    channel = one.channel or person.channel or (send.channel if send else "")
    sender, campaign = (send.sender, send.campaign) if send else ("", "")
    ways = {(address, by) for address in person.hashes for by in (sender, person.sender or sender)}
    asked = [Asked(address, channel, by, campaign, purpose.value) for address, by in sorted(ways)]
    found = blocks.blocking(connection, one.account, asked, now)
    if send is not None and send.channel != channel:
        # What the person said holds for them and not for the channel that they said it on (promise 12).
        [first] = blocks.blocking(
            connection, one.account, [Asked(one.recipient, send.channel, sender, campaign, purpose.value)], now
        )
        found.append(first if first is not None and first.cause in NEVER_RESENT else None)
    return min((block for block in found if block), key=lambda block: (block.flags, block.id), default=None)


def _obstacle(send: Send | None) -> str:
    if send is None:
        return ""
    if send.obstacle:
        return send.obstacle
    return "Infobip itself repeats it" if send.repeats else ""


def scopes_of(send: Send | None, message: Message | None, address: str) -> list[Scope]:
    """Return every scope that a message belongs to."""
    sender = (send.sender if send else "") or (message.sender if message else "")
    brand = (send.campaign or send.application) if send else ""
    return scopes(network=message.mcc_mnc if message else "", sender=sender, brand=brand, domain=mail_domain(address))


def _sent_to(connection: Connection, one: Resend, now: datetime) -> int:
    since = now - _HOUR
    own = resending.sent_to_since(connection, one.recipient, since)
    return own + sends.left_since(connection, one.account, one.recipient, since)


def _cost(connection: Connection, one: Resend, now: datetime) -> Cost:
    facts = connection.scalar(select(reports.c.facts).where(reports.c.id == one.report_id))
    found = json.loads(facts) if facts else {}
    try:
        price = Decimal(str(found["price"]))
        # What was refused before it left cost nothing, which says nothing about the next one.
        if price.is_finite() and price > 0:
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
