"""What `dlr doctor` finds about the sync with Infobip's lists."""

from collections.abc import Iterator
from datetime import UTC, datetime

from cli.findings import ERROR, OK, WARNING, Finding
from cli.output import counted
from cli.sync_state import SETTINGS, AccountState, states
from config.settings import Settings, SettingsError
from store.database import Database


def in_step(settings: Settings, opened: Database) -> Iterator[Finding]:
    """Look whether the sync can work where it is on."""
    try:
        with opened.reading() as connection:
            found = states(settings, connection, datetime.now(UTC))
    except SettingsError as error:
        for line in str(error).splitlines():
            if "DLR_SYNC" in line:
                yield Finding(ERROR, "sync", line, "Correct it: nothing is kept in step like this.")
        return
    on = [state for state in found if state.switches.is_on]
    if not on:
        yield Finding(OK, "sync", "off: Infobip's lists and ours are not kept in step")
    for state in on:
        yield from _of(state)


def _of(state: AccountState) -> Iterator[Finding]:
    if state.problem:
        yield Finding(ERROR, "sync", f"{state.account}: {state.problem}", state.next_step or "See the worker's log.")
        return
    if bad := state.total("missing") + state.total("refused"):
        fix = "`dlr suppress sync` says why; `dlr suppress sync retry` asks for it once more."
        said = counted(bad, "entry is", "entries are")
        yield Finding(WARNING, "sync", f"{state.account}: {said} refused, or accepted and missing", fix)
        return
    parts = [SETTINGS[name] for name in state.switches.lists] + ([SETTINGS["pull"]] if state.switches.pull else [])
    yield Finding(OK, "sync", f"{state.account}: {', '.join(parts)}; `dlr suppress sync` shows more")
