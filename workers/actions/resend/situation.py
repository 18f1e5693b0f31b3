"""What is known of a resend at the moment at which it is about to leave."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from config.accounts import Account
from infobip.inbound.channels import slug
from policy import Mode, Purpose
from policy.leaving import Situation
from policy.rules import Limits, Rules
from policy.waking import awake_at
from reports import mail_domain
from reports.states import REACHED, State, attempt_of, counted
from reports.zones import zones_of
from store import budgets, messages, resending, sends
from store.budgets import Cost
from store.messages import Message
from store.pauses import Scope
from store.resending import ACT, Resend
from store.schema import reports
from store.sends import Content, Send
from store.sharing import is_shared
from store.vault import Vault
from workers.actions.resend import gate as gates
from workers.actions.resend.blocked import Original, block_of
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
# Of so many of the newest reports the prices are looked at.
_NEWEST: Final = 200
SHARED: Final = "its message id stands for several people"


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
    block = block_of(connection, one, Original.of(send, message), target.person, purpose, now)
    cost = _cost(connection, one, send, now)
    give_up_at = _give_up_at(one, send, message, purpose, limits)
    zones: Sequence[ZoneInfo] = zones_of(address) or (account.zone,)
    gate = gates.read(connection, one.account, scopes_of(send, message, address), limits.pause_share, now)
    worthless = not_after(send, message, purpose, limits)
    latest = resending.latest_attempt(connection, one.account, one.message_key)
    situation = Situation(
        moment=now,
        give_up_at=give_up_at,
        not_after=worthless,
        purpose=purpose,
        mode=rules.modes["retry"] if one.mode == ACT else Mode.ACT,
        reached=message is not None and message.state in REACHED,
        superseded=latest > one.attempt,
        may_arrive=_may_arrive(one, send, message),
        suppressed=block.cause if block is not None and not block.flags else "",
        flagged=(send is not None and send.flagged) or (block is not None and block.flags),
        obstacle=_obstacle(connection, one, send, message, target.person.hashes),
        has_content=target.has_content,
        has_credential=target.has_credential,
        switched_off=gate.stopped.why if gate.stopped else "",
        paused=gate.why,
        paused_until=gate.until(min(give_up_at, worthless or give_up_at)),
        sent_last_hour=_sent_to(connection, one, target.person.hashes, now),
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


def _obstacle(
    connection: Connection, one: Resend, send: Send | None, message: Message | None, hashes: Collection[bytes]
) -> str:
    if send is not None and send.obstacle:
        return send.obstacle
    if send is not None and send.repeats:
        return "Infobip itself repeats it"
    message_id = send.message_id if send else message.message_id if message else ""
    return SHARED if is_shared(connection, one.account, message_id, hashes) else ""


def _may_arrive(one: Resend, send: Send | None, message: Message | None) -> bool:
    """Whether Infobip's own failover may still go on with the original: of that, whoever planned it may have known
    nothing. What starts where nothing is heard (no report led to it) does not wait for it."""
    if send is None or not send.failover or message is None or one.attempt != 1 or not one.report_id:
        return False
    failed = {
        slug(name) if name else message.channel
        for name, leg in counted(message.legs).items()
        if leg.state is State.FAILED and not attempt_of(name)
    }
    return send.failover[-1] not in failed


def _give_up_at(one: Resend, send: Send | None, message: Message | None, purpose: Purpose, limits: Limits) -> datetime:
    """Return when its time is over. What nobody declared leaves soon after the original, or not at all."""
    sent_at = send.sent_at if send else message.first_at if message else None
    if purpose is not Purpose.UNDECLARED or sent_at is None:
        return one.give_up_at
    return min(one.give_up_at, sent_at + limits.undeclared_within)


def scopes_of(send: Send | None, message: Message | None, address: str) -> list[Scope]:
    """Return every scope that a message belongs to."""
    sender = (send.sender if send else "") or (message.sender if message else "")
    brand = (send.campaign or send.application) if send else ""
    return scopes(network=message.mcc_mnc if message else "", sender=sender, brand=brand, domain=mail_domain(address))


def _sent_to(connection: Connection, one: Resend, hashes: Collection[bytes], now: datetime) -> int:
    since, person = now - _HOUR, {one.recipient, *hashes}
    return budgets.sent_to_since(connection, person, since) + sends.left_since(connection, one.account, person, since)


def _cost(connection: Connection, one: Resend, send: Send | None, now: datetime) -> Cost:
    facts = connection.scalar(select(reports.c.facts).where(reports.c.id == one.report_id))
    # What the original cost says nothing of another channel; what was refused before it left cost nothing, which says
    # nothing of the next one.
    elsewhere = bool(one.channel) and send is not None and one.channel != send.channel
    if facts and not elsewhere and (price := _price(json.loads(facts))).micros:
        return price
    seen = max((_price(found) for found in _newest_facts(connection, one.account)), key=lambda cost: cost.micros)
    dearest = budgets.dearest(connection, one.account, now - _PRICES)
    return seen if seen.micros >= dearest else Cost(dearest, seen.currency)


def _newest_facts(connection: Connection, account: str) -> list[dict[str, Any]]:
    """Return the facts of the account's reports among the newest that tell a price; always at least an empty one."""
    newest = select(reports.c.account, reports.c.facts).order_by(reports.c.id.desc()).limit(_NEWEST)
    rows = connection.execute(newest).all()
    return [{}, *(json.loads(row.facts) for row in rows if row.account == account and '"price":' in row.facts)]


def _price(facts: dict[str, Any]) -> Cost:
    try:
        price = Decimal(str(facts["price"]))
    except (KeyError, InvalidOperation):
        return Cost()
    if not price.is_finite() or price <= 0:
        return Cost()
    return Cost(int(price * _MICROS), str(facts.get("currency", ""))[:8])


def _over_budget(connection: Connection, account: str, limits: Limits, cost: Cost, now: datetime) -> str:
    since = now - _DAY
    count, micros = budgets.sent_since(connection, account, since)
    if count >= limits.resends_per_day:
        return f"{count} resends left within 24 hours, as many as are allowed"
    if micros + cost.micros > limits.money_per_day * _MICROS:
        return f"resends of 24 hours would cost more than {limits.money_per_day:g}"
    if count >= _ALWAYS:
        registered = sends.count_since(connection, account, since)
        if count >= limits.resends_share * registered:
            return f"{count} resends within 24 hours are {limits.resends_share:.0%} of what was sent"
    return ""
