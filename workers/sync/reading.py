"""Read Infobip's Blocklist from end to end, page by page: take in what it has, and verify what of ours it shows.

How far it is stands in the database with what the page led to, so that whoever comes after a kill goes on from there.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from config.logs import log
from infobip.outbound.lists import blocklist
from infobip.outbound.lists.outcome import Page, Record
from policy.mirror import BLOCKLIST
from store import sync_pull, sync_runs, sync_seen
from store.listed import ADD, MISSING, SENT
from store.sync_runs import NO_SCAN
from store.sync_seen import Seen
from workers.sync import telling
from workers.sync.desk import Desk
from workers.sync.looking import FEW, seen_in, settled

_LOG = log(__name__)
_AT_ONCE: Final = 500
_WRITTEN_AT_ONCE: Final = 100
"""Records in one transaction: each new one is an entry with its trail, and callbacks wait for it on SQLite."""


def read(desk: Desk) -> int:
    """Read the next page, or begin where it is time; return how many records that moved."""
    if not desk.goes_on(BLOCKLIST):
        return 0
    run, now = desk.run, desk.clock()
    if run.page == NO_SCAN:
        if not desk.switches.pull or (run.pulled_at is not None and now - run.pulled_at < desk.switches.pull_every):
            return 0
        _begin(desk, now)
    if not desk.turn("GET"):
        return 0
    source = blocklist.OURS if not desk.switches.pull or desk.run.scan_since else ""
    found = blocklist.read(desk.client, page=desk.run.page, source=source, since=desk.run.scan_since)
    desk.asked("GET")
    if not isinstance(found, Page):
        desk.trouble(BLOCKLIST, found, "reading the Blocklist")
        return 0
    desk.works(BLOCKLIST)
    _take(desk, found)
    if not found.more:
        _end(desk)
    return max(1, len(found.records))


def _begin(desk: Desk, now: datetime, **more: int) -> None:
    """Begin a reading of the whole."""
    values = {"page": 0, "scan_started_at": now, "scan_since": None, "pulled": 0, **more}
    desk.write(lambda connection: sync_runs.note(connection, desk.account, now, **values))
    desk.reload()


def _take(desk: Desk, page: Page) -> None:
    """Take in a page in short transactions, and note with the last that it is done; a part may be taken in again."""
    take = _pull if desk.switches.pull and desk.run.scan_since is None else _verify
    parts = [page.records[start : start + _WRITTEN_AT_ONCE] for start in range(0, len(page.records), _WRITTEN_AT_ONCE)]
    for part in parts:
        take(desk, part)
    now, run = desk.clock(), desk.run
    pulled = run.pulled + (len(page.records) if take is _pull else 0)
    desk.write(lambda connection: sync_runs.note(connection, desk.account, now, page=run.page + 1, pulled=pulled))
    desk.reload()


def _pull(desk: Desk, records: Sequence[Record]) -> None:
    now, run, within = desk.clock(), desk.run, desk.switches.verify_within
    told = [desk.reader.read(desk.account, one, now) for one in records]
    done = desk.write(lambda c: sync_pull.take(c, desk.vault, run, told, now, within))
    if done["new"] or done["back"]:
        _LOG.info("list_read", account=desk.account, page=run.page, new=done["new"], entered=done["entered"])


def _verify(desk: Desk, records: Sequence[Record]) -> None:
    seen, reading = seen_in(desk, records), desk.run.scan + 1
    with desk.database.reading() as connection:
        rows = sync_seen.known(connection, desk.account, BLOCKLIST, seen)
    # What is to be gone and still shows is judged once the whole is read.
    waiting = [row for row in rows if row.op == ADD and row.state in (SENT, MISSING)]
    settled(desk, BLOCKLIST, waiting, seen, only_found=True)
    desk.write(lambda connection: sync_seen.mark(connection, rows, seen, reading))


def _end(desk: Desk) -> None:
    """Conclude from a reading: what was looked for and did not show, and what of theirs is in doubt."""
    run, now = desk.run, desk.clock()
    assert run.scan_started_at is not None
    with desk.database.reading() as connection:
        left = sync_seen.asked_before(connection, desk.account, BLOCKLIST, run.scan_started_at, now)
    # Each reading has a number of its own: what an earlier one showed may be gone since.
    ended = run.scan + 1
    if run.scan_since is not None:
        if len(left) > FEW:
            # They were there before we asked, or are not there: the whole list tells.
            _begin(desk, now, scan=ended)
        else:
            _over(desk, now, scan=ended)
        return
    for start in range(0, len(left), _AT_ONCE):
        part = left[start : start + _AT_ONCE]
        shown = [row for row in part if row.seen_scan > run.scan]
        settled(
            desk, BLOCKLIST, part, {sync_seen.key_of(row): Seen(row.created_there, row.account_key) for row in shown}
        )
    if not desk.switches.pull:
        _over(desk, now, scan=ended)
        return
    with desk.database.reading() as connection:
        missing, total = sync_pull.unseen(connection, run)
    too_many = sync_pull.are_too_many(len(missing), total, run)
    for start in range(0, 0 if too_many else len(missing), _AT_ONCE):
        desk.write(lambda c, of=missing[start : start + _AT_ONCE]: sync_pull.doubt(c, of, now))  # type: ignore[misc]
    _over(desk, now, scan=ended, pulled_at=now, doubts_allowed=0)
    if too_many:
        desk.tell(telling.shrank(desk.account, len(missing), now))
    _LOG.info("list_read_to_its_end", account=desk.account, records=desk.run.pulled, gone_perhaps=len(missing))


def _over(desk: Desk, now: datetime, **more: Any) -> None:
    values: dict[str, Any] = {"page": NO_SCAN, "scan_since": None, **more}
    desk.write(lambda connection: sync_runs.note(connection, desk.account, now, **values))
    desk.reload()
