"""For whom a resend waits, until when, and why. Pure."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from policy.leaving import NO_CONTENT, NO_CREDENTIAL, STOPPED
from store.pauses import ALL, Pause
from store.setting_back import WAS_PLANNED

# Workers look every few seconds; what is due for longer than this waits for one that does not run.
_WORKERS: Final = timedelta(minutes=1)
_OVER: Final = frozenset({"accepted", "refused", "cancelled", "expired"})


class Waits(NamedTuple):
    """`until` is when it goes on by itself; with `at_most`, when it is given up unless somebody acts."""

    whom: str
    until: datetime | None
    why: str
    at_most: bool = False


def waits(row: dict[str, Any], held: Pause | None, now: datetime) -> Waits:
    """Return what a resend waits for. `row` is one of the table `retries`, `held` the pause that holds it now."""
    state, note = row["state"], row["note"]
    if state in _OVER:
        return Waits("", None, note)
    if state == "planned":
        return _planned(row, held, now)
    if state in ("claimed", "sending"):
        return Waits("a worker", row["lease_until"], "it is leaving" if state == "sending" else "it is being looked at")
    if state == "unknown":
        if row["due_at"] is None:
            return Waits("a person", None, note)
        return Waits("Infobip's logs", row["due_at"], note)
    if note.startswith(WAS_PLANNED):
        return Waits("a person", row["give_up_at"], note, at_most=True)
    whom, why = _WAITING.get(state if state != "waiting" else note, ("a person", note))
    return Waits(whom, row["give_up_at"], why or note, at_most=True)


_WAITING: Final = {
    "observed": ("a person", "only recorded: the mode of resends is observe"),
    "proposed": ("a person", "proposed: the mode of resends is propose"),
    NO_CONTENT: ("its application", f"{NO_CONTENT}: send through /proxy, or tell it to /api/v1/sends"),
    NO_CREDENTIAL: ("the operator", f"{NO_CREDENTIAL}: see `dlr doctor`"),
}


def _planned(row: dict[str, Any], held: Pause | None, now: datetime) -> Waits:
    due = row["due_at"]
    if held is not None:
        until = max(due, held.until) if held.until else None
        whom = "a person" if until is None else "the end of a pause"
        return Waits(whom, until, f"{described(held)}: {held.why} ({held.who})")
    if due < now - _WORKERS:
        return Waits("a worker", due, row["note"] or "it is due: no worker has taken it yet")
    return Waits("its time", due, row["note"])


def described(pause: Pause) -> str:
    """Return what a pause is, in words: what it stops, and how far it is open again."""
    whose = f" of account {pause.account}" if pause.account else ""
    what = STOPPED if pause.scope.kind == ALL else f"{pause.scope}"
    return f"{what}{whose}{_opened(pause.step)}"


def _opened(step: int) -> str:
    if step <= 0:
        return ""
    return " (one is let through to try)" if step == 1 else f" (opened wider {step - 1} time{'s' * (step > 2)})"
