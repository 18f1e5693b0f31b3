"""What `dlr doctor` finds in the database and in the state folder's keys."""

import json
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, text

from cli.findings import ERROR, OK, WARNING, Finding
from cli.output import counted
from cli.stored import missing_file
from codes import CodesError, load_codes
from config.settings import Settings
from policy import Mode, PolicyError, load_policy
from store import by_hand, sqlite, views, waiting
from store.database import Database
from store.errors import HalfThere, KeyMismatch, NotMigrated, TooNew, Unavailable
from store.inbox import backlog
from store.revision import require_migrated
from store.vault import KEY_FILE, open_vault, read_keys
from store.views import Found

BACKUP: Final = "keys_backup"
_LATE: Final = timedelta(seconds=60)
_APART: Final = timedelta(seconds=30)
_NEWEST: Final = 50


def database(settings: Settings, opened: Database) -> Iterator[Finding]:
    """Look whether the database answers, has this release's tables, and takes writes."""
    if path := missing_file(settings):
        yield Finding(ERROR, "database", f"there is none yet at {path}", "Make it with `dlr migrate`.")
        return
    try:
        require_migrated(opened)
    except NotMigrated as error:
        fixes = {TooNew: "Run the newer release here too.", HalfThere: "Put both files of one backup there."}
        fix = fixes.get(type(error), "Run `dlr migrate`.")
        yield Finding(ERROR, "database", str(error), fix)
        return
    except Unavailable as error:
        fix = "Start it, or correct DLR_DATABASE_URL. Infobip repeats callbacks for 41.5 hours."
        yield Finding(ERROR, "database", f"it cannot be reached: {error}", fix)
        return
    try:
        # Only a commit proves that it can write: a full disk lets everything pass up to there.
        if opened.is_sqlite:
            with opened.transaction(sqlite.RECEIVED) as connection:
                sqlite.touch_received(connection)
        with opened.transaction() as connection:
            by_hand.note(connection, "doctor_at", datetime.now(UTC).isoformat(timespec="seconds"))
    except Unavailable as error:
        fix = "Look at its disk, its locks and the rights of its user. Callbacks get 503 and are repeated for 41.5 h."
        yield Finding(ERROR, "database", f"it cannot be written: {error}", fix)
        return
    kind = "SQLite (two files)" if opened.is_sqlite else "PostgreSQL"
    yield Finding(OK, "database", f"{kind} has this release's tables and takes writes")


def keys(settings: Settings, opened: Database) -> Iterator[Finding]:
    """Look whether the keys are there, are those of the database, are private, and are kept elsewhere too."""
    path = settings.state_dir / KEY_FILE
    with opened.reading() as connection:
        known, backup = views.mark(connection, "key_ids"), views.mark(connection, BACKUP)
    if known is None and not path.exists():
        yield Finding(OK, "keys", "they are made at the first start")
        return
    try:
        if known is None:
            read_keys(path)
        else:
            open_vault(settings.state_dir, opened)
    except KeyMismatch as error:
        fix = f"Restore {path} from the backup. New keys could read nothing of what is stored."
        yield Finding(ERROR, "keys", str(error), fix)
        return
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding(WARNING, "keys", f"others may read {path}", f"chmod 600 {path}")
    if json.loads(backup or "{}").get("keys") != read_keys(path).ids:
        fix = f"Copy {path} to a safe place that is not this host, then run `dlr keys backup-done`."
        yield Finding(WARNING, "keys", "no backup is confirmed: with the file lost, all that is stored is lost", fix)
    else:
        yield Finding(OK, "keys", "present, those of this database, and a backup is confirmed")


def clock(settings: Settings, opened: Database) -> Iterator[Finding]:
    """Look whether this host's clock agrees with the database's and with the reports' own times."""
    with opened.reading() as connection:
        theirs = None if opened.is_sqlite else connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        ours = datetime.now(UTC)
        newest = views.newest_reports(connection, _NEWEST)
    fix = "Set the clock of this host by NTP: due times, windows and retention follow it."
    if theirs is not None and abs(theirs - ours) > _APART:
        apart = round((ours - theirs).total_seconds())
        yield Finding(ERROR, "clock", f"{apart} s away from the database's", fix)
    elif newest and newest[0]["received_at"] > ours + _APART:
        yield Finding(ERROR, "clock", "reports were received later than it is now", fix)
    elif _most(newest, "time_ahead"):
        yield Finding(WARNING, "clock", "most reports come with times that are ahead of it", fix)
    else:
        # Many kinds of reports have no time, and no clock can help that.
        note = "; most reports tell no time that can be used, and count by when they came"
        yield Finding(OK, "clock", f"it is {ours:%Y-%m-%d %H:%M:%S}Z{note if _most(newest, 'time_replaced') else ''}")


def _most(found: Sequence[Found], fact: str) -> bool:
    return len(found) >= 10 and sum(bool(row["facts"].get(fact)) for row in found) > len(found) // 2


def work(settings: Settings, opened: Database) -> Iterator[Finding]:
    """Look at what waits: callbacks, quarantine, incidents."""
    with opened.reading() as connection:
        waiting, age = backlog(connection, datetime.now(UTC))
        counts = views.counts_by_state(connection)
    if waiting and age > _LATE:
        fix = "See whether a worker runs (`./start`, `dlr up`) and what its log says."
        said = counted(waiting, "callback waits", "callbacks wait")
        yield Finding(ERROR, "inbox", f"{said}, the oldest for {round(age.total_seconds())} s", fix)
    else:
        yield Finding(OK, "inbox", f"{counted(waiting, 'callback')} waiting")
    if bad := counts["quarantine"].get("open", 0):
        fix = "`dlr quarantine list` says why, `dlr quarantine replay` goes on after a fix."
        yield Finding(WARNING, "quarantine", f"{counted(bad, 'item')} could not be understood", fix)
    if standing := counts["incidents"].get("open", 0):
        yield Finding(
            WARNING,
            "incidents",
            f"{counted(standing, 'needs', 'need')} a person",
            "`dlr incidents list` says what to do.",
        )


def waits(settings: Settings, opened: Database) -> Iterator[Finding]:
    """Say in one line what waits for somebody: what was only observed or proposed, and what cannot go on by itself."""
    with opened.reading() as connection:
        found = waiting.everything(connection)
    if not found:
        yield Finding(OK, "waits", "nothing waits for anybody")
        return
    total = waiting.together(found.values())
    yield Finding(WARNING, "waits", waiting.in_words(total), waiting.next_step(total))


def modes(settings: Settings, opened: Database) -> Iterator[Finding]:
    """Look at what is not done yet because its mode says so."""
    try:
        rules = load_policy(settings.policy, load_codes(settings.codes_local).tables)
    except (PolicyError, CodesError, OSError):
        return  # said already
    with opened.reading() as connection:
        counts = views.counts_by_state(connection)
    waiting = {
        "retry": _sum(counts["retries"], "observed", "proposed"),
        "suppress": _sum(counts["suppressions"], "proposed"),
    }
    names = {"retry": "resends", "suppress": "suppressions inferred from failures"}
    for kind, name in names.items():
        if (mode := rules.modes[kind]) is Mode.ACT:
            continue
        done = "only recorded" if mode is Mode.OBSERVE else "proposed to a person"
        fix = f'Look at them, then write {kind} = "act" under [modes] in your policy (DLR_POLICY).'
        yield Finding(WARNING, "modes", f"{name} are {done} (mode {mode.value}): {waiting[kind]} waiting", fix)


def _sum(states: dict[str, int], *names: str) -> int:
    return sum(states.get(name, 0) for name in names)


def confirm_backup(connection: Connection, ids: dict[str, str]) -> None:
    """Note that the present keys are kept elsewhere too; other keys later have to be confirmed again."""
    value: dict[str, Any] = {"keys": ids, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    by_hand.note(connection, BACKUP, json.dumps(value))
