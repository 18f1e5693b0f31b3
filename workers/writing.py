"""Write everything that a slice led to, in one order, so that no two writers wait for one another in a circle."""

from collections.abc import Collection

from sqlalchemy import Connection

from store import (
    arrivals,
    disproof,
    echoes,
    erasing,
    events,
    failures,
    guard,
    incidents,
    joins,
    ledger,
    messages,
    parcels,
    passes,
    pauses,
    people,
    resending,
    retries,
    sends,
    silencing,
    suppressions,
    surges,
    traffic,
)
from workers import forwarding
from workers.effects import Effects
from workers.failed import still_meant
from workers.prepare import Prepared


def write(connection: Connection, effects: Effects) -> None:
    """Write it all: messages first, then suppressions, then the rest, the order in which all writers take locks."""
    at = effects.now
    accounts = effects.accounts
    joins.give_reports(connection, effects.given)
    messages.remove(connection, sorted(effects.gone), at)
    messages.save(connection, effects.changed.values(), effects.new, at)
    wishes = {entry.address for entry in effects.entries if entry.cause in arrivals.LIFTABLE}
    arrivals.hold(connection, wishes.union(item.recipient for item in effects.opted_in))
    _write_entries(connection, effects)
    # Sorted once for both: it takes as long as looking them up.
    people_reached = sorted({address for _, address in effects.deliveries})
    doubtful, entered = disproof.lift_after(connection, people_reached, effects.deliveries, at)
    effects.keep_beside(entered)
    failures.forget(connection, accounts, people_reached, effects.deliveries)
    for item in effects.opted_in:
        _opt_in(connection, effects, item)
    _undo_older_opt_outs(connection, effects)
    failures.note(connection, effects.failures_told())
    disproof.drop(connection, disproof.too_few(connection, doubtful, effects.deliveries), at)
    people.keep(connection, effects.vault, effects.addresses)
    ledger.add_reports(connection, effects.vault, effects.reports, effects.own_addresses)
    ledger.add_decisions(connection, effects.decisions)
    retries.plan(connection, effects.retries)
    # Nothing can be planned for a message that was not known before this slice, and no failure in it either; but
    # one that was only registered may be watched, and its silence have planned something.
    unplanned = set[bytes]() if effects.register.in_use else effects.new - effects.failed
    retries.cancel(connection, accounts, effects.reached - unplanned, at, "the message arrived")
    silencing.silence(connection, [one for one in (*effects.entries, *effects.echoes) if one.is_firm], at)
    if effects.register.in_use:
        _write_resends(connection, effects, accounts)
    _tell(connection, effects)
    parcels.queue(connection, effects.parcels)
    surges.note(connection, effects.tally.ended())
    incidents.note(connection, [*effects.sighted, *effects.sightings])
    traffic.note(connection, effects.tally.traffic())


def _tell(connection: Connection, effects: Effects) -> None:
    moves = forwarding.wanted_of(effects.moves, effects.endpoints.wanted)
    told = forwarding.events_of(connection, moves, effects.changed) if moves else []
    events.note(connection, [*told, *effects.outgoing], effects.now)


def _write_entries(connection: Connection, effects: Effects) -> None:
    effects.entries = still_meant(effects.entries, effects.deliveries)
    known = suppressions.standing(connection, effects.entries)
    effects.count_finals()
    entries = guard.guarded(connection, effects.entries, known, effects.guarded, effects.limits, effects.now)
    suppressions.suppress(connection, entries, effects.now, "policy", known)
    effects.guarded.write(connection)
    effects.sightings += echoes.confirm(connection, effects.echoes, effects.now)


def _undo_older_opt_outs(connection: Connection, effects: Effects) -> None:
    """Lift at once what the person took back later, by event time, although we were told of that first."""
    for later in arrivals.opted_in_since(connection, effects.entries):
        _lift(connection, effects, later)


def _write_resends(connection: Connection, effects: Effects, accounts: Collection[str]) -> None:
    resending.settle(connection, effects.settled, effects.now)
    passes.hear(connection, effects.heard)
    sends.erase_of(connection, effects.reached)
    erasing.given_up(connection, accounts, effects.given_up)
    for account, scope, until, why in sorted(effects.pauses):
        pauses.pause(connection, account, scope, effects.now, until, why, "policy")


def _opt_in(connection: Connection, effects: Effects, item: Prepared) -> None:
    assert item.event is not None
    report = item.report
    asked = (report.account, item.recipient, item.event.lifts, report.sender, report.channel)
    _lift(connection, effects, arrivals.OptIn(*asked, item.event_at, report.kind))


def _lift(connection: Connection, effects: Effects, again: arrivals.OptIn) -> None:
    suppressions.lift_opt_out(
        connection,
        again.account,
        again.address,
        again.lifts,
        sender=again.sender,
        channel=again.channel,
        at=again.at,
        now=effects.now,
        reason=f"opted in again ({again.kind})",
    )
