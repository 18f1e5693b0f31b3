"""The supervisor: one thread that starts parts in order, starts again what ended, and stops all in order."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cli.supervisor.child import Child
from cli.supervisor.part import Part, Patience
from cli.supervisor.screen import Lines, Screen
from cli.supervisor.tether import Tether
from cli.supervisor.wakeups import STOP, Wakeups, wakeups

_LOOK: Final = 0.05
_IDLE: Final = 3600.0
_LAST_WAIT: Final = 3.0


@dataclass(slots=True)
class Slot:
    """A part's place in the supervisor, with or without a process."""

    part: Part
    lines: Lines
    child: Child | None = None
    due: float = 0.0
    started: float = 0.0
    ready: bool = False
    was_ready: bool = False
    mentioned: bool = False
    failures: int = 0
    kill_at: float | None = None


class Supervisor:
    """Runs parts until a signal stops it or the start fails.

    `warm_up` is called once, after the first parts were started; `on_ready` once, when all parts have been ready.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        screen: Screen,
        *,
        on_ready: Callable[[], None],
        warm_up: Callable[[], None] | None = None,
        patience: Patience | None = None,
        held: tuple[int, ...] = (),
    ) -> None:
        self._screen = screen
        self._slots = {part.name: Slot(part, Lines(part.name, screen, part.unsaid)) for part in parts}
        self._on_ready = on_ready
        self._warm_up = warm_up
        self._patience = patience or Patience()
        self._held = held
        self._announced = False
        self._stopping = False
        self._result = 0

    def run(self) -> int:
        """Run until everything has stopped. Return 0 after a stop by signal, 1 where the start failed."""
        tether = Tether(self._held)
        with wakeups() as signals, selectors.DefaultSelector() as selector:
            self._tether, self._selector = tether, selector
            selector.register(signals.descriptor, selectors.EVENT_READ, None)
            try:
                while not (self._stopping and not self._running()):
                    self._turn(signals)
            finally:
                for slot in self._running():
                    self._bury(slot)
                tether.close()
        return self._result

    def _running(self) -> list[Slot]:
        return [slot for slot in self._slots.values() if slot.child is not None]

    def _turn(self, signals: Wakeups) -> None:
        for key, _ in self._selector.select(self._until_next()):
            if key.data is not None:
                self._read(key.data)
        for number in signals.read():
            if number in STOP:
                self._told_to_stop(signal.Signals(number))
            elif self._tether.renew():
                self._screen.say("somebody ended the keeper; another one was started", level="warning")
        self._reap()
        if self._stopping:
            self._stop_next()
            return
        self._start_next()
        if self._warm_up is not None:
            # What the forks share is imported while the first parts, which are programs, start beside it.
            self._warm_up()
            self._warm_up = None
        self._check_ready()

    def _until_next(self) -> float:
        now = time.monotonic()
        if self._stopping:
            moments = [slot.kill_at for slot in self._running() if slot.kill_at is not None]
        elif any(slot.child is not None and not slot.ready for slot in self._slots.values()):
            return _LOOK
        else:
            moments = [slot.due for slot in self._slots.values() if self._may_start(slot)]
        return min((max(0.0, moment - now) for moment in moments), default=0.0 if self._stopping else _IDLE)

    # ---- starting

    def _may_start(self, slot: Slot) -> bool:
        waits = any(not self._slots[name].was_ready for name in slot.part.after)
        return slot.child is None and not slot.ready and not waits

    def _start_next(self) -> None:
        for slot in self._slots.values():
            if self._may_start(slot) and time.monotonic() >= slot.due and not self._stopping:
                self._start(slot)

    def _start(self, slot: Slot) -> None:
        slot.started, slot.mentioned, slot.lines.last = time.monotonic(), False, ""
        try:
            slot.child = Child(slot.part)
        except OSError as error:
            self._failed(slot, f"could not be started: {error}")
            return
        self._tether.add(slot.child.pid)
        self._selector.register(slot.child.output, selectors.EVENT_READ, slot)

    def _check_ready(self) -> None:
        for slot in self._running():
            if not slot.ready and not slot.part.once and slot.part.is_ready():
                self._became_ready(slot)
            elif not slot.ready and not slot.mentioned and time.monotonic() - slot.started > self._patience.slow:
                slot.mentioned = True
                self._screen.say(f"not ready after {self._patience.slow:.0f} s", part=slot.part.name, level="warning")

    def _became_ready(self, slot: Slot) -> None:
        slot.ready = slot.was_ready = True
        took = time.monotonic() - slot.started
        pid = "" if slot.child is None else f" as process {slot.child.pid}"
        self._screen.say(f"ready{pid} after {took:.1f} s", part=slot.part.name)
        if not self._announced and all(each.was_ready for each in self._slots.values()):
            self._announced = True
            self._on_ready()

    # ---- watching

    def _read(self, slot: Slot) -> None:
        assert slot.child is not None
        try:
            content = os.read(slot.child.output, 65536)
        except BlockingIOError:
            return
        if content:
            slot.lines.feed(content)
        else:
            # Closed by the part, which may run on; without this the select would return at once for ever.
            self._selector.unregister(slot.child.output)

    def _reap(self) -> None:
        for slot in self._running():
            assert slot.child is not None
            code = slot.child.exit_code()
            if code is None:
                continue
            self._bury(slot)
            if self._stopping:
                self._screen.say("stopped", part=slot.part.name)
            elif slot.part.once and code == 0:
                self._became_ready(slot)
            else:
                self._failed(slot, _words(code))

    def _bury(self, slot: Slot) -> None:
        """End what is left of a part's processes and let go of them."""
        child = slot.child
        assert child is not None
        child.kill()
        # A process that the kernel holds on to, as on a dead disk, must not hold up the others.
        limit = time.monotonic() + _LAST_WAIT
        while child.exit_code() is None and time.monotonic() < limit:
            time.sleep(0.005)
        if child.output in self._selector.get_map():
            # Its last words may still be in the pipe. Nobody holds the other end any more, so this ends.
            self._drain(slot, child)
            self._selector.unregister(child.output)
        slot.lines.finish()
        child.close()
        self._tether.remove(child.pid)
        slot.child, slot.ready, slot.kill_at = None, False, None

    def _drain(self, slot: Slot, child: Child) -> None:
        try:
            while content := os.read(child.output, 65536):
                slot.lines.feed(content)
        except BlockingIOError:
            return

    def _failed(self, slot: Slot, how: str) -> None:
        lived = time.monotonic() - slot.started
        slot.failures = 1 if lived > self._patience.stable else slot.failures + 1
        if not slot.was_ready and slot.failures >= slot.part.tries:
            last = f": {slot.lines.last}" if slot.lines.last else ""
            self._give_up(f"{slot.part.name} {how} before it was ready{last}")
            return
        pause = self._patience.pause(slot.failures)
        slot.due = time.monotonic() + pause
        event = f"{how} after {lived:.1f} s; starting it again in {pause:g} s"
        self._screen.say(event, part=slot.part.name, level="warning")

    # ---- stopping

    def _give_up(self, reason: str) -> None:
        self._screen.say(f"could not start: {reason}", level="error")
        self._result = 1
        self._stopping = True

    def _told_to_stop(self, number: signal.Signals) -> None:
        if not self._stopping:
            self._screen.say(f"stopping ({number.name}); once more to hurry")
            self._stopping = True
            return
        self._screen.say(f"hurrying ({number.name})")
        self._hurry(time.monotonic() + self._patience.hurry)

    def _hurry(self, limit: float) -> None:
        for slot in self._running():
            assert slot.child is not None
            slot.child.ask_to_stop()
            slot.kill_at = min(limit, slot.kill_at or limit)

    def _stop_next(self) -> None:
        now = time.monotonic()
        rank = min((slot.part.stop_rank for slot in self._running()), default=0)
        for slot in self._running():
            assert slot.child is not None
            if slot.kill_at is not None and now >= slot.kill_at:
                event = "did not stop in time and was killed"
                self._screen.say(event, part=slot.part.name, level="warning")
                self._bury(slot)
            elif slot.kill_at is None and slot.part.stop_rank == rank:
                slot.child.ask_to_stop()
                slot.kill_at = now + slot.part.grace


def _words(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    known = {number.value: number.name for number in signal.Signals}
    return f"was ended by {known.get(-code, f'signal {-code}')}"
