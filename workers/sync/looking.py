"""Look whether Infobip's lists show what was asked for: a few records one by one, many by reading the list."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from infobip.outbound.lists import blocklist, registrations, suppressions
from infobip.outbound.lists.outcome import Page, Record, Rejected
from policy.mirror import BLOCKLIST, EMAIL, PUSH
from store import sync_pull, sync_runs, sync_seen
from store.listed import DOUBTED, MISSING, SENT, Job
from store.moments import EPOCH
from store.sync_runs import NO_SCAN
from store.sync_seen import Key, Seen, Settled
from workers.sync import telling
from workers.sync.desk import Desk

FEW: Final = 20
_AT_ONCE: Final = 2_000
_MOST_PAGES: Final = 500
_MARGIN: Final = timedelta(minutes=5)


def look(desk: Desk) -> int:
    """Look for what is due on each list; return how many records that settled or put off."""
    moved = 0
    on = set(desk.switches.lists) | ({BLOCKLIST} if desk.switches.pull else set())
    for name, way in _WAYS.items():
        if name in on and desk.goes_on(name):
            moved += way(desk)
    return moved


def _due(desk: Desk, of_list: str, most: int, states: Sequence[str] = (SENT, MISSING, DOUBTED)) -> list[Job]:
    with desk.database.reading() as connection:
        return sync_seen.due(connection, desk.vault, desk.account, of_list, desk.clock(), most, states)


def settled(
    desk: Desk, of_list: str, rows: Iterable[Any], seen: Mapping[Key, Seen], *, only_found: bool = False
) -> int:
    """Write down what a read tells of these rows, and what follows; return how many that moved."""
    now, rows = desk.clock(), list(rows)
    within, scan = desk.switches.verify_within, desk.run.scan

    def work(connection: Any) -> tuple[Settled, Mapping[str, int]]:
        done = sync_seen.settle(connection, rows, seen, now, within, scan, only_found=only_found)
        gone = sync_pull.gone(connection, desk.account, done.gone, desk.wishes, now) if done.gone else {}
        return done, gone

    done, gone = desk.write(work)
    if count := done.counts["newly missing"]:
        desk.tell(telling.missing(desk.account, of_list, count, now))
    if count := gone.get("own stops", 0):
        desk.tell(telling.own_stops_gone(desk.account, count, now))
    return done.total


def _blocklist(desk: Desk) -> int:
    with desk.database.reading() as connection:
        count = sync_seen.how_many(connection, desk.account, BLOCKLIST, desk.clock())
    moved = _by_reading(desk) if count > FEW else 0
    # What of theirs is in doubt is proven one by one, however many they are.
    for job in _due(desk, BLOCKLIST, FEW, (DOUBTED,) if count > FEW else (SENT, MISSING, DOUBTED)):
        if not job.address:
            moved += settled(desk, BLOCKLIST, [job.row], {sync_seen.key_of(job.row): Seen()})
            continue
        if not desk.turn("GET"):
            break
        found = blocklist.read(desk.client, destination=job.address)
        desk.asked("GET")
        if not isinstance(found, Page):
            desk.trouble(BLOCKLIST, found, "looking into the Blocklist")
            break
        desk.works(BLOCKLIST)
        moved += settled(desk, BLOCKLIST, [job.row], seen_in(desk, found.records))
    return moved


def _by_reading(desk: Desk) -> int:
    """Begin to read what was put there since our oldest request; nothing where a reading is under way."""
    if desk.run.page != NO_SCAN:
        return 0
    rows = [job.row for job in _due(desk, BLOCKLIST, _AT_ONCE, (SENT, MISSING))]
    first = min((row.first_sent_at for row in rows if row.op == "add" and row.first_sent_at), default=None)
    now = desk.clock()
    # What is to be gone, and what is theirs, shows only in a reading of the whole.
    since = first - _MARGIN if first and all(row.op == "add" for row in rows) else None
    values = {"page": 0, "scan_started_at": now, "scan_since": since}
    desk.write(lambda connection: sync_runs.note(connection, desk.account, now, **values))
    desk.reload()
    return 1


def seen_in(desk: Desk, records: Iterable[Record]) -> dict[Key, Seen]:
    """Return what records show, by key. Of those that differ only in their sub-account the newest counts."""
    ordered = sorted(records, key=lambda one: one.created or EPOCH)
    return {desk.reader.key(desk.account, one): Seen(one.created, one.account_key) for one in ordered}


def _email(desk: Desk) -> int:
    jobs = _due(desk, EMAIL, _AT_ONCE)
    groups: dict[tuple[str, str], list[Job]] = defaultdict(list)
    for job in jobs:
        groups[job.row.scope, job.row.source].append(job)
    moved = 0
    for (domain, reason), members in groups.items():
        seen: dict[Key, Seen] = {}
        alone = [job.address for job in members] if len(members) <= FEW else [""]
        for address in alone:
            if not _read_email(desk, domain, reason, address, seen):
                return moved
        moved += settled(desk, EMAIL, [job.row for job in members], seen)
    return moved


def _read_email(desk: Desk, domain: str, reason: str, address: str, seen: dict[Key, Seen]) -> bool:
    """Add what the list shows of one address, or of a whole domain, to `seen`; whether all of it could be read."""
    for page in range(_MOST_PAGES):
        desk.sleep(suppressions.SECONDS)
        found = suppressions.read(desk.client, domain, reason, page=page, address=address)
        if not isinstance(found, Page):
            desk.trouble(EMAIL, found, "looking into the e-mail suppressions")
            return False
        seen |= seen_in(desk, found.records)
        if not found.more:
            return True
    return True


def _push(desk: Desk) -> int:
    moved = 0
    for job in _due(desk, PUSH, FEW):
        desk.sleep(registrations.SECONDS)
        enabled = registrations.is_enabled(desk.client, job.address, job.row.scope)
        if isinstance(enabled, Rejected):
            enabled = True  # a registration that is gone cannot be found off
        if not isinstance(enabled, bool):
            desk.trouble(PUSH, enabled, "looking at a push registration")  # type: ignore[arg-type]
            break
        moved += settled(desk, PUSH, [job.row], {} if enabled else {sync_seen.key_of(job.row): Seen()})
    return moved


_WAYS: Final = {BLOCKLIST: _blocklist, EMAIL: _email, PUSH: _push}
