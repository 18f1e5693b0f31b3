"""Put records on Infobip's lists and take ours off: claim, ask once, record."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from config.logs import log
from infobip.outbound.lists import blocklist, registrations, suppressions
from infobip.outbound.lists.outcome import Accepted, Outcome, Record, Rejected, Unclear
from policy.mirror import BLOCKLIST, EMAIL, PUSH
from store import listed, sync_runs, sync_shared
from store.listed import ADD, REFUSED, REMOVE, THEIRS, THERE, TO_PUSH, VERIFIED, Batch, Job
from workers.sync import telling
from workers.sync.desk import Desk

_LOG = log(__name__)
_AT_ONCE: Final = timedelta(0)
_REGISTRATIONS: Final = 25
_HANDED_AT_ONCE: Final = 100
NO_ADDRESS_FOR_IT: Final = "neither a phone number nor an e-mail address"
_METHODS: Final = {ADD: "POST", REMOVE: "DELETE"}


def push(desk: Desk) -> int:
    """Send one request for each list that has something waiting; return how many records that moved."""
    moved = 0
    for name in desk.switches.lists:
        for op in (ADD, REMOVE):
            if desk.goes_on(name):
                moved += _WAYS[name](desk, op)
    return moved


def _next(desk: Desk, of_list: str, op: str) -> dict[str, str] | None:
    with desk.database.reading() as connection:
        return listed.next_group(connection, desk.account, of_list, op, desk.clock())


def _claim(desk: Desk, of_list: str, op: str, most: int, group: Mapping[str, str] | None = None) -> Batch:
    now = desk.clock()
    number = desk.write(lambda connection: listed.claim(connection, desk.account, of_list, op, now, most, group))
    with desk.database.reading() as connection:
        batch = listed.batch_of(connection, desk.vault, number, op)
    lost = dict.fromkeys((job.row.id for job in batch.jobs if not job.address), listed.FORGOTTEN)
    if lost:
        desk.write(lambda connection: listed.refuse(connection, number, lost, now))
    jobs = tuple(job for job in batch.jobs if job.address)
    return Batch(number, op, _not_shared(desk, of_list, jobs) if op == REMOVE else jobs)


def _not_shared(desk: Desk, of_list: str, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Leave there what another account here asks for, too."""
    with desk.database.reading() as connection:
        pairs = sync_shared.shared(connection, desk.vault, desk.account, of_list, jobs)
    for start in range(0, len(pairs), _HANDED_AT_ONCE):
        part = pairs[start : start + _HANDED_AT_ONCE]
        desk.write(lambda c, of=part: sync_shared.hand_over(c, of, desk.clock()))  # type: ignore[misc]
    kept = {own.id for own, _ in pairs}
    return tuple(job for job in jobs if job.row.id not in kept)


def _blocklist(desk: Desk, op: str) -> int:
    if _next(desk, BLOCKLIST, op) is None or not desk.turn(_METHODS[op]):
        return 0
    most = min(desk.run.most or desk.switches.batch, desk.switches.batch)
    batch = _only_people(desk, _claim(desk, BLOCKLIST, op, most))
    if not batch.jobs:
        return 1
    change = blocklist.add if op == ADD else blocklist.remove
    outcome = change(desk.client, [_record(job) for job in batch.jobs])
    desk.asked(_METHODS[op])
    record(desk, BLOCKLIST, batch, outcome)
    return len(batch.jobs)


def _only_people(desk: Desk, batch: Batch) -> Batch:
    """Refuse what the Blocklist has no words for, before Infobip refuses the whole request for it."""
    odd = [job.row.id for job in batch.jobs if not ("@" in job.address or job.address.isdecimal())]
    if odd:
        now = desk.clock()
        reasons = dict.fromkeys(odd, NO_ADDRESS_FOR_IT)
        desk.write(lambda connection: listed.refuse(connection, batch.number, reasons, now))
    return Batch(batch.number, batch.op, tuple(job for job in batch.jobs if job.row.id not in set(odd)))


def _email(desk: Desk, op: str) -> int:
    group = _next(desk, EMAIL, op)
    if group is None:
        return 0
    desk.sleep(suppressions.SECONDS)
    batch = _claim(desk, EMAIL, op, min(desk.run.most or suppressions.MOST, suppressions.MOST), group)
    if batch.jobs:
        change = suppressions.add if op == ADD else suppressions.remove
        record(desk, EMAIL, batch, change(desk.client, [_record(job) for job in batch.jobs]))
    return max(1, len(batch.jobs))


def _record(job: Job) -> Record:
    row = job.row
    return Record(job.address, row.channel, row.scope, row.source, row.account_key)


def record(desk: Desk, of_list: str, batch: Batch, outcome: Outcome) -> None:
    """Write down what became of a request."""
    now, number = desk.clock(), batch.number
    match outcome:
        case Accepted():
            desk.write(lambda connection: listed.accepted(connection, number, now))
            _grow(desk)
            desk.works(of_list)
        case Rejected():
            _rejected(desk, of_list, batch, outcome)
        case Unclear():
            # It may have been taken. The rows stay as sent, and are looked for before they are sent again.
            desk.trouble(of_list, outcome, f"changing the {telling.PLAIN[of_list]}")
        case _:
            desk.write(lambda connection: listed.give_back(connection, number, now, _AT_ONCE))
            desk.trouble(of_list, outcome, f"changing the {telling.PLAIN[of_list]}")
    came = type(outcome).__name__.lower()
    _LOG.info("list_asked", account=desk.account, list=of_list, op=batch.op, count=len(batch.jobs), came_of_it=came)


def _rejected(desk: Desk, of_list: str, batch: Batch, outcome: Rejected) -> None:
    """Leave out what is named; where nothing is, find it by halves. Nothing of the request was taken."""
    now, jobs = desk.clock(), batch.jobs
    reasons = {jobs[place].row.id: why for place, why in outcome.reasons.items()}
    if len(jobs) == 1:
        reasons = reasons or {jobs[0].row.id: outcome.text}
    most = desk.run.most if reasons else max(1, len(jobs) // 2)

    def work(connection: Any) -> None:
        listed.refuse(connection, batch.number, reasons, now)
        listed.give_back(connection, batch.number, now, _AT_ONCE)
        sync_runs.note(connection, desk.account, now, most=most)

    desk.write(work)
    desk.reload()
    if reasons:
        desk.tell(telling.refused(desk.account, of_list, len(reasons), next(iter(reasons.values())), now))


def _grow(desk: Desk) -> None:
    """After a request that was taken, the next may be twice as large again."""
    if desk.run.most:
        most = desk.run.most * 2 if desk.run.most * 2 < desk.switches.batch else 0
        desk.write(lambda connection: sync_runs.note(connection, desk.account, desk.clock(), most=most))
        desk.reload()


def _push(desk: Desk, op: str) -> int:
    """Switch registrations off, or on again: one by one, each read before it is switched off."""
    if _next(desk, PUSH, op) is None:
        return 0
    batch = _claim(desk, PUSH, op, _REGISTRATIONS)
    for place, job in enumerate(batch.jobs):
        outcome = _switch(desk, job, op)
        if isinstance(outcome, Accepted):
            _is_so(desk, job, {"state": VERIFIED, "note": ""})
            desk.works(PUSH)
        elif outcome is None:
            # It was off already: whoever did that is asked, not we, before it is on again.
            _is_so(desk, job, {"op": THEIRS, "state": THERE, "until": None, "note": ""})
        elif isinstance(outcome, Rejected):
            _is_so(desk, job, {"state": REFUSED, "note": outcome.text[:300]})
            desk.tell(telling.refused(desk.account, PUSH, 1, outcome.text, desk.clock()))
        else:
            later = [one.row.id for one in batch.jobs[place + (isinstance(outcome, Unclear)) :]]
            desk.write(lambda connection, of=later: _back(connection, of, desk.clock()))  # type: ignore[misc]
            desk.trouble(PUSH, outcome, f"changing the {telling.PLAIN[PUSH]}")
            break
    return len(batch.jobs) or 1


def _switch(desk: Desk, job: Job, op: str) -> Outcome | None:
    desk.sleep(registrations.SECONDS)
    if op == ADD:
        enabled = registrations.is_enabled(desk.client, job.address, job.row.scope)
        if enabled is False:
            return None
        if not isinstance(enabled, bool):
            return enabled
    return registrations.switch(desk.client, job.address, job.row.scope, on=op == REMOVE)


def _is_so(desk: Desk, job: Job, values: dict[str, Any]) -> None:
    now = desk.clock()
    desk.write(lambda connection: listed.change(connection, [job.row.id], now, answered=1, looks=0, **values))


def _back(connection: Any, numbers: list[int], now: Any) -> None:
    for number in numbers:
        listed.change(connection, [number], now, state=TO_PUSH, first_sent_at=None, sent_at=None, due_at=now)


_WAYS: Final = {BLOCKLIST: _blocklist, EMAIL: _email, PUSH: _push}
