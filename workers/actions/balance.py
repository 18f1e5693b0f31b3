"""The money that is left with Infobip, and the hour at which it runs out."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection, select

from config.accounts import load_accounts
from config.logs import log
from infobip.outbound.client import Client
from infobip.outbound.errors import BaseUrlRefused
from infobip.outbound.results import Exchanged
from infobip.outbound.transport import Transport
from store import incidents
from store.incidents import Sighting
from store.moments import from_ms, to_ms
from store.schema import meta
from store.work_marks import claim
from store.writes import upsert
from workers.actions.resend.outlets import Outlets
from workers.context import Context

_LOG = log(__name__)
PATH: Final = "/account/1/balance"
_EVERY: Final = 890.0  # the task comes every fifteen minutes
_REMEMBERED: Final = timedelta(hours=24)
_AT_LEAST: Final = timedelta(minutes=30)
_SOON: Final = timedelta(hours=24)
_VERY_SOON: Final = timedelta(hours=4)
_QUIET: Final = timedelta(minutes=40)
Seen = tuple[datetime, float]


def look(context: Context, now: datetime) -> int:
    """Ask for every account's balance; return how many were told. Raises `config.settings.SettingsError`."""
    settings, accounts = context.settings, load_accounts(context.settings)
    transport = Transport()
    outlets = Outlets(accounts, settings.infobip_hosts, context.vault, transport)
    told = 0
    try:
        for name in accounts:
            due = context.database.repeat(lambda c, name=name: claim(c, f"balance_at:{name}", now, _EVERY))  # type: ignore[misc]
            outlet = _outlet(outlets, name) if due else None
            found = ask(outlet) if outlet is not None else None
            if found is not None:
                told += 1
                context.database.repeat(lambda c, name=name, found=found: _note(c, name, found, now))  # type: ignore[misc]
    finally:
        transport.close()
    return told


def _outlet(outlets: Outlets, name: str) -> Client | None:
    try:
        outlet = outlets.of(name)
    except BaseUrlRefused:
        return None  # said where resends leave
    return None if outlet is None else outlet.client


def ask(client: Client) -> tuple[float, str] | None:
    """Return the balance with its currency, or nothing where it is not told: a key may lack that right."""
    answer = client.get(PATH, {})
    if not isinstance(answer, Exchanged) or answer.http != 200:
        return None
    try:
        found: Mapping[str, object] = json.loads(answer.body)
        return float(str(found["balance"])), str(found.get("currency", ""))
    except (ValueError, KeyError, TypeError):
        _LOG.warning("balance_unreadable", next_step="see whether Infobip changed the answer of /account/1/balance")
        return None


def runs_out(history: Sequence[Seen]) -> datetime | None:
    """Return when the balance is gone at the pace of the time remembered; nothing where it does not shrink.

    Money that was added in between is not spent: the pace is what was spent between looks, over all of them.
    """
    if len(history) < 2 or history[-1][0] - history[0][0] < _AT_LEAST:
        return None
    spent = sum(max(0.0, before[1] - after[1]) for before, after in pairwise(history))
    if spent <= 0:
        return None
    pace = spent / (history[-1][0] - history[0][0]).total_seconds()
    return history[-1][0] + timedelta(seconds=min(max(0.0, history[-1][1]) / pace, 10**9))


def _note(connection: Connection, account: str, found: tuple[float, str], now: datetime) -> None:
    name = f"balance:{account}"
    known = connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()
    history = [(from_ms(at), amount) for at, amount in json.loads(known)] if known else []
    history = [one for one in history if one[0] > now - _REMEMBERED] + [(now, found[0])]
    kept = json.dumps([(to_ms(at), amount) for at, amount in history])
    upsert(connection, meta, [{"name": name, "value": kept}], ["name"], ["value"])
    if (seen := sighting(account, history, found[1], now)) is not None:
        incidents.note(connection, [seen])


def sighting(account: str, history: Sequence[Seen], currency: str, now: datetime) -> Sighting | None:
    """Return what a person should know of a balance, if anything."""
    left, end = history[-1][1], runs_out(history)
    if left > 0 and (end is None or end - now > _SOON):
        return None
    severity = "critical" if left <= 0 or (end is not None and end - now < _VERY_SOON) else "warning"
    hour = f", and runs out about {end:%Y-%m-%d %H:00}Z at the pace of late" if left > 0 and end is not None else ""
    return Sighting(
        account=account,
        key="balance-low",
        rule="balance-low",
        severity=severity,
        title=f"The balance of the account {account} with Infobip is {left:.2f} {currency}".rstrip() + hour,
        next_step="Top it up before then: without credit every message is refused.",
        at=now,
        cause="account_funds",
        quiet=_QUIET,
    )
