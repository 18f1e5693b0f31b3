"""What `dlr doctor` finds of keys that are rotated on several hosts one after the other."""

from collections.abc import Iterator

from cli.findings import ERROR, WARNING, Finding
from cli.output import counted
from config.settings import Settings
from store import views
from store.database import Database
from store.errors import KeyMismatch
from store.incidents import ACKNOWLEDGED, KEY_MISSING, OPEN
from store.sealed import waiting_for_a_key
from store.vault import KEY_FILE, open_vault


def missing_keys(settings: Settings, opened: Database) -> Iterator[Finding]:
    """Look whether callbacks wait for a key that is not here, or that a worker elsewhere lacks."""
    path = settings.state_dir / KEY_FILE
    if not path.exists():
        return
    try:
        vault = open_vault(settings.state_dir, opened)
    except KeyMismatch:
        return  # said already
    with opened.reading() as connection:
        waiting = waiting_for_a_key(connection, vault)
        wanted = views.Wanted(rule=KEY_MISSING, state=(OPEN, ACKNOWLEDGED))
        missed = views.find_incidents(connection, wanted)
    if waiting:
        said = f"{counted(waiting, 'callback waits', 'callbacks wait')} for a key that is not in {path}"
        fix = f"Copy {KEY_FILE} from the host that the keys were rotated on; workers read it by themselves."
        yield Finding(ERROR, "keys", said, fix)
    for incident in missed:
        fix = f"{incident['next_step']} Then `dlr incidents resolve {incident['id']}`."
        yield Finding(WARNING, "keys", incident["title"], fix)
