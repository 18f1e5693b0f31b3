"""The pauses that a resend has to pass on its way out, and what passing them changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from policy.leaving import Hold, Verdict
from policy.opening import PROBE, Close, Enter, Fared, Opening, Over, Shut, opening, size
from store import passes, pauses
from store.pauses import ALL, Pause, Scope
from store.resending import Resend
from workers import pausing


@dataclass(frozen=True, slots=True)
class Gate:
    """What the pauses of a resend's scopes say, the widest scope first."""

    stopped: Pause | None = None
    """The switch that stops all resends."""
    shut: tuple[tuple[Pause, Shut], ...] = ()
    ways: tuple[tuple[Pause, Enter | Over], ...] = ()
    """What it passes if it leaves."""
    failed: tuple[tuple[Pause, Close], ...] = ()
    """What has to be closed again."""

    @property
    def holds(self) -> bool:
        """Whether it lets nothing through now."""
        return bool(self.stopped or self.shut or self.failed)

    @property
    def why(self) -> str:
        """Why it is held back; empty where it is not."""
        return "; ".join(_why(one) for one, _ in self.shut)

    def until(self, end: datetime) -> datetime | None:
        """Return when its turn should come. What has to leave before `end` asks as early as may be.

        None: nobody knows.
        """
        known = [(shut.until, shut.soonest) for _, shut in self.shut if shut.until and shut.soonest]
        if len(known) < len(self.shut) or not known:
            return None
        turn = max(until for until, _ in known)
        return turn if turn < end else max(soonest for _, soonest in known)

    def count_held(self, connection: Connection, verdict: Verdict) -> None:
        """Count one that is held in the line of each pause that is opening and holds it back."""
        if not isinstance(verdict, Hold):
            return
        for one, _ in self.shut:
            if one.step >= PROBE:
                pauses.held_back(connection, one)

    def leave(self, connection: Connection, one: Resend, now: datetime) -> bool:
        """Take its place in each pause that it passes. False: another was quicker, and all of it has to be undone."""
        for found, way in self.ways:
            match way:
                case Enter():
                    if not pauses.enter(connection, found, way):
                        return False
                    passes.add(connection, found, one.id, way.step, now)
                case Over():
                    if not pauses.over(connection, found):
                        return False
                    pausing.end(connection, found, now)
        return True


def look(connection: Connection, account: str, scopes: Sequence[Scope], share: float, now: datetime) -> Gate:
    """Return what the pauses of these scopes say now, and change nothing."""
    found = pauses.find_all(connection, account, scopes)
    switches = [one for one in found if one.scope.kind == ALL]
    stopped = next((one for one in switches if one.until is None or one.until > now), None)
    # In one order, so that two workers never wait for each other.
    standing = sorted((one for one in found if one.scope.kind != ALL), key=lambda one: one.scope)
    asked = [(one, _way(connection, one, share, now)) for one in standing]
    return Gate(
        stopped,
        tuple((one, way) for one, way in asked if isinstance(way, Shut)),
        tuple((one, way) for one, way in asked if isinstance(way, (Enter, Over))),
        tuple((one, way) for one, way in asked if isinstance(way, Close)),
    )


def read(connection: Connection, account: str, scopes: Sequence[Scope], share: float, now: datetime) -> Gate:
    """Return what the pauses of these scopes say now. One whose probe fared badly is closed again at once."""
    gate = look(connection, account, scopes, share, now)
    shut = list(gate.shut)
    for one, way in gate.failed:
        closed = pauses.close(connection, one, way)
        if closed is not None:
            pausing.tell(connection, closed, now)
        shut.append((closed or one, Shut(way.until, way.until)))
    return replace(gate, shut=tuple(shut), failed=())


def _way(connection: Connection, one: Pause, share: float, now: datetime) -> Opening:
    if one.step < PROBE:
        return opening(one.stage, Fared(), Fared(), share, now)
    fared = passes.how_fared(connection, one, (one.step, one.step - 1), now)
    return opening(one.stage, fared[one.step], fared[one.step - 1], share, now)


def _why(one: Pause) -> str:
    named = f"{one.scope}: {one.why}"
    if one.step < PROBE:
        return named
    if one.step == PROBE:
        return f"{named}; a probe has left, and no report on it has come yet"
    return f"{named}; it opens in steps, and this one let out {size(one.step)}"
