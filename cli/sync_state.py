"""How the sync with Infobip's lists stands, account by account: what `dlr suppress sync` and `dlr doctor` tell of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from config.accounts import Account, load_accounts
from config.settings import Settings
from config.sync import Switches, switches_of
from policy.mirror import BLOCKLIST, EMAIL, LISTS, PUSH, Wishes
from store import listed, sync_forecast, sync_runs
from store.listed import ADD, REMOVE, STATES, THEIRS
from store.sync_runs import NO_SCAN, WHOLE, Run

SETTINGS = {
    BLOCKLIST: "DLR_SYNC_BLOCKLIST",
    EMAIL: "DLR_SYNC_EMAIL_DOMAINS",
    PUSH: "DLR_SYNC_PUSH",
    "pull": "DLR_SYNC_PULL",
    "ends": "DLR_SYNC_ENDS",
}
WORDS = {BLOCKLIST: "Blocklist", EMAIL: "e-mail suppressions", PUSH: "push registrations"}


@dataclass(frozen=True, slots=True)
class ListState:
    """One list: whether it is on, how many entries belong there, and how far they are."""

    on: bool
    belongs: int
    add: Mapping[str, int]
    remove: Mapping[str, int]
    theirs: int


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account."""

    account: str
    switches: Switches
    problem: str
    next_step: str
    lists: Mapping[str, ListState]
    not_listed: Mapping[str, int]
    refusals: Mapping[str, int]
    run: Run | None
    wait_until: datetime | None = field(default=None)

    @property
    def reads_now(self) -> bool:
        """Whether the Blocklist is just being read."""
        return self.run is not None and self.run.page != NO_SCAN

    def total(self, state: str) -> int:
        """Return how many records of ours are in a state, on all lists."""
        return sum(one.add.get(state, 0) + one.remove.get(state, 0) for one in self.lists.values())


def states(settings: Settings, connection: Connection, now: datetime) -> list[AccountState]:
    """Return the state of every account that has a credential, or that anything is on for. Raises `SettingsError`."""
    counts, runs = listed.counts(connection), sync_runs.every(connection)
    found = []
    for name, account in load_accounts(settings).items():
        switches = switches_of(settings, name)
        found.append(_state(connection, account, switches, counts, runs.get(name), now))
    return found


def _state(
    connection: Connection,
    account: Account,
    switches: Switches,
    counts: Mapping[tuple[str, str, str, str], int],
    run: Run | None,
    now: datetime,
) -> AccountState:
    problem, step = _problem(account, switches, run, now)
    # What is off is counted as if it were on: whoever thinks of switching it on wants to know how much that is.
    wishes = Wishes(blocklist=True, email_domains=switches.email_domains, push=True, ends=switches.ends)
    forecast = sync_forecast.forecast(connection, account.name, wishes, now)
    lists = {name: _list(account.name, name, switches, counts, forecast["listed"]) for name in LISTS}
    refusals = listed.refusals(connection, account.name)
    pauses = [one.until for one in run.troubles.values() if one.until > now] if run is not None else []
    waits = max(pauses, default=None)
    return AccountState(
        account.name, switches, problem, step, lists, dict(forecast["not_listed"]), refusals, run, waits
    )


def _list(
    account: str,
    name: str,
    switches: Switches,
    counts: Mapping[tuple[str, str, str, str], int],
    belongs: Counter[str],
) -> ListState:
    return ListState(
        on=name in switches.lists,
        belongs=belongs[name],
        add={state: counts.get((account, name, ADD, state), 0) for state in STATES},
        remove={state: counts.get((account, name, REMOVE, state), 0) for state in STATES},
        theirs=sum(counts.get((account, name, THEIRS, state), 0) for state in (listed.THERE, listed.DOUBTED)),
    )


def _problem(account: Account, switches: Switches, run: Run | None, now: datetime) -> tuple[str, str]:
    if not switches.is_on:
        return "", ""
    if not account.base_url or not account.has_credential:
        where = "DLR_INFOBIP_URL and DLR_INFOBIP_KEY" if account.name == "main" else "its table in DLR_ACCOUNTS"
        missing = "no base URL" if not account.base_url else "no credential"
        return f"it is on and cannot work: there is {missing}", f"Set {where}. What waits is kept."
    on = {*switches.lists, WHOLE} | ({BLOCKLIST} if switches.pull else set())
    found = [one for name, one in run.troubles.items() if name in on] if run is not None else []
    steps = dict.fromkeys(one.next_step for one in found)
    return "; ".join(one.text.rstrip(".") for one in found), " ".join(steps)
