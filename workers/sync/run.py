"""One round of the sync: each account in turn, as far as the time goes."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from config.accounts import load_accounts
from config.logs import log
from config.settings import SettingsError
from config.sync import Switches, switches_of
from infobip.outbound.client import Client
from infobip.outbound.errors import BaseUrlRefused
from infobip.outbound.transport import Patience, Transport
from store import incidents, sync_plan, sync_runs
from store.sync_align import align
from store.sync_plan import Step
from store.sync_runs import WHOLE
from store.work_marks import claim
from workers.actions.resend.outlets import Outlets
from workers.context import Context
from workers.sync import looking, pushing, reading, telling
from workers.sync.desk import Desk
from workers.sync.hold import held
from workers.sync.theirs import Reader

_LOG = log(__name__)
_PATIENCE: Final = Patience(connect=3.0, answer=15.0, total=20.0)
_TOLD_EVERY: Final = timedelta(minutes=10)
# Beat rings more often than a round ends.
_running: Final = threading.Lock()


def sync(context: Context, seconds: float) -> int:
    """Go on with every account for at most about `seconds`; return how much moved."""
    try:
        accounts = load_accounts(context.settings)
        wanted = {name: on for name in accounts if (on := switches_of(context.settings, name)).is_on}
    except SettingsError as error:
        _LOG.error("sync_settings", problem=str(error), next_step="correct them; `dlr doctor` tells all mistakes")
        return 0
    if not wanted or not _running.acquire(blocking=False):
        return 0
    transport = Transport(_PATIENCE)
    outlets = Outlets(accounts, context.settings.infobip_hosts, context.vault, transport)
    end, moved = time.monotonic() + seconds, 0
    try:
        for place, (name, switches) in enumerate(wanted.items()):
            client = _client(context, outlets, name)
            if client is not None:
                over = _share_of(end, len(wanted) - place)
                moved += _account(context, name, switches, client, over)
    finally:
        transport.close()
        _running.release()
    return moved


def _share_of(end: float, accounts: int) -> Callable[[], bool]:
    """Return what says when the first of these accounts has had its share of the time, so that each has some.

    One whose list takes hours to read would otherwise use up every round.
    """
    until = time.monotonic() + (end - time.monotonic()) / accounts
    return lambda: time.monotonic() > until


def _client(context: Context, outlets: Outlets, name: str) -> Client | None:
    try:
        outlet = outlets.of(name)
    except BaseUrlRefused as error:
        _stuck(context, name, f"its base URL cannot be used: {error}", error.next_step)
        return None
    if outlet is None:
        _stuck(context, name, "", "")
        return None
    return outlet.client


def _stuck(context: Context, name: str, text: str, step: str) -> None:
    """Say now and then that an account cannot go on."""
    now = datetime.now(UTC)
    seen = telling.denied(name, WHOLE, text, step, now) if text else telling.without_credential(name, now)

    said = text or "there is no base URL or no credential"

    def work(connection: Connection) -> None:
        if claim(connection, f"sync_told:{name}", now, _TOLD_EVERY.total_seconds()):
            incidents.note(connection, [seen])
            sync_runs.rest(connection, name, WHOLE, now, said, step or seen.next_step)

    context.database.repeat(work)


def _account(context: Context, name: str, switches: Switches, client: Client, over: Callable[[], bool]) -> int:
    with held(context.database, name, context.owner) as got:
        if got is None:
            return 0
        run, hold = got
        desk = Desk(
            database=context.database,
            vault=context.vault,
            client=client,
            account=name,
            switches=switches,
            reader=Reader(context.vault, context.preparer, context.policy.rules),
            run=run,
            over=lambda: over() or hold.lost.is_set(),
            sleep=time.sleep,
        )
        desk.works(WHOLE)
        return work(desk)


def work(desk: Desk) -> int:
    """Plan, push, look and read in turn until nothing moves or the time is over; return how much moved."""
    moved = 0
    while not desk.over():
        desk.reload()
        step = plan(desk) if desk.switches.pushes else 0
        step += pushing.push(desk) + looking.look(desk) + reading.read(desk)
        moved += step
        if not step:
            break
    return moved


def plan(desk: Desk) -> int:
    """Work out what is to stand there, until all is up to date; return how much changed."""
    total = 0
    while not desk.over():
        if not desk.run.signature:
            _LOG.info("sync_begins", account=desk.account, lists=",".join(desk.switches.lists))
        now = desk.clock()
        with desk.database.reading() as connection:
            step = sync_plan.next_step(connection, desk.run, desk.wishes, desk.switches.signature, now)
        moved = _take(desk, step, now)
        total += moved
        if not step.more or not (moved or step.reached):
            break
    return total


def _take(desk: Desk, step: Step, now: datetime) -> int:
    """Write what a step leads to in short transactions, and then how far it is; return how many records changed."""
    moved = 0
    for start in range(0, len(step.people), sync_plan.WRITTEN_AT_ONCE):
        part = step.people[start : start + sync_plan.WRITTEN_AT_ONCE]
        moved += desk.write(lambda c, of=part: align(c, desk.account, of, desk.wishes, now))  # type: ignore[misc]
    if step.reached:
        desk.write(lambda connection: sync_runs.note(connection, desk.account, now, **step.reached))
        desk.reload()
    return moved
