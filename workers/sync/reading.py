"""Read Infobip's Blocklist from end to end, page by page: take in what it has, and verify what of ours it shows.

How far it is stands in the database with what the page led to, so that whoever comes after a kill goes on from there.
"""

from datetime import datetime
from typing import Any, Final

from config.logs import log
from infobip.outbound.lists import blocklist
from infobip.outbound.lists.outcome import Page
from policy.mirror import BLOCKLIST
from store import sync_pull, sync_runs, sync_seen
from store.listed import ADD, MISSING, SENT
from store.sync_runs import NO_SCAN
from store.sync_seen import Seen
from workers.sync import telling
from workers.sync.desk import Desk
from workers.sync.looking import FEW, seen_in, settled

_LOG = log(__name__)
_AT_ONCE: Final = 2_000


def read(desk: Desk) -> int:
    """Read the next page, or begin where it is time; return how many records that moved."""
    if not desk.goes_on(BLOCKLIST):
        return 0
    run, now = desk.run, desk.clock()
    if run.page == NO_SCAN:
        if not desk.switches.pull or (run.pulled_at is not None and now - run.pulled_at < desk.switches.pull_every):
            return 0
        _begin(desk, now, None)
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


def _begin(desk: Desk, now: datetime, since: datetime | None) -> None:
    values = {"page": 0, "scan_started_at": now, "scan_since": since, "pulled": 0}
    desk.write(lambda connection: sync_runs.note(connection, desk.account, now, **values))
    desk.reload()


def _take(desk: Desk, page: Page) -> None:
    now, run = desk.clock(), desk.run
    if desk.switches.pull and run.scan_since is None:
        told = [desk.reader.read(desk.account, one, now) for one in page.records]
        within = desk.switches.verify_within

        def work(connection: Any) -> Any:
            done = sync_pull.take(connection, desk.vault, run, told, desk.wishes, now, within)
            pulled = run.pulled + len(page.records)
            sync_runs.note(connection, desk.account, now, page=run.page + 1, pulled=pulled)
            return done

        done = desk.write(work)
        if done["new"] or done["back"]:
            _LOG.info("list_read", account=desk.account, page=run.page, new=done["new"], entered=done["entered"])
    else:
        seen = seen_in(desk, page.records)
        with desk.database.reading() as connection:
            rows = sync_seen.known(connection, desk.account, BLOCKLIST, seen)
        # What is to be gone and still shows is judged once the whole is read.
        waiting = [row for row in rows if row.op == ADD and row.state in (SENT, MISSING)]
        settled(desk, BLOCKLIST, waiting, seen, only_found=True)

        def note(connection: Any) -> None:
            sync_seen.mark(connection, [row.id for row in rows], run.scan + 1)
            sync_runs.note(connection, desk.account, now, page=run.page + 1)

        desk.write(note)
    desk.reload()


def _end(desk: Desk) -> None:
    """Conclude from a reading: what was looked for and did not show, and what of theirs is in doubt."""
    run, now = desk.run, desk.clock()
    assert run.scan_started_at is not None
    with desk.database.reading() as connection:
        left = sync_seen.asked_before(connection, desk.account, BLOCKLIST, run.scan_started_at, now)
    if run.scan_since is not None:
        if len(left) > FEW:
            # They were there before we asked, or are not there: the whole list tells.
            _begin(desk, now, None)
        else:
            _over(desk, now)
        return
    for start in range(0, len(left), _AT_ONCE):
        part = left[start : start + _AT_ONCE]
        shown = [row for row in part if row.seen_scan > run.scan]
        settled(
            desk, BLOCKLIST, part, {sync_seen.key_of(row): Seen(row.created_there, row.account_key) for row in shown}
        )
    if not desk.switches.pull:
        _over(desk, now, scan=run.scan + 1)
        return

    def work(connection: Any) -> tuple[int, bool]:
        doubted, too_many = sync_pull.doubt(connection, run, now)
        values = {"scan": run.scan + 1, "pulled_at": now, "doubts_allowed": 0}
        sync_runs.note(connection, desk.account, now, page=NO_SCAN, scan_since=None, **values)
        return doubted, too_many

    doubted, too_many = desk.write(work)
    if too_many:
        desk.tell(telling.shrank(desk.account, doubted, now))
    _LOG.info("list_read_to_its_end", account=desk.account, records=desk.run.pulled, gone_perhaps=doubted)
    desk.reload()


def _over(desk: Desk, now: datetime, **more: int) -> None:
    values: dict[str, Any] = {"page": NO_SCAN, "scan_since": None, **more}
    desk.write(lambda connection: sync_runs.note(connection, desk.account, now, **values))
    desk.reload()
