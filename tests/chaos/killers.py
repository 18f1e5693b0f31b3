"""Who kills what, and when."""

import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from infobip.simulator import Simulator
from tests.chaos.hurried import WAITS
from tests.chaos.scenario import SLOW
from tests.resend.world import turned
from tests.support.stack import Stack
from workers.actions.resend.resender import Resender
from workers.actions.resend.run import make_resender
from workers.context import Context

# How often each part is chosen: most is at stake where resends are sent.
_PARTS: Final = {"effects": 6, "process": 3, "proxy": 2, "web": 2, "valkey": 1, "beat": 1}
MOMENTS: Final = ("after the claim", "before the request", "before the record")


@dataclass
class Killer:
    """Kills processes of a running installation, at random and whenever a resend waits for its answer."""

    stack: Stack
    infobip: Simulator
    dice: random.Random
    kills: Counter[str] = field(default_factory=Counter)

    def kill(self, part: str, why: str = "") -> None:
        """Kill a part with all processes of it, if it runs."""
        with suppress(ProcessLookupError, KeyError):
            os.killpg(self.stack.pids[part], signal.SIGKILL)
            self.kills[f"{part} {why}".rstrip()] += 1

    def at_random(self, over: threading.Event, least: float, most: float) -> None:
        """Kill one part after the other until it is over."""
        while not over.wait(self.dice.uniform(least, most)):
            self.kill(self.dice.choices(list(_PARTS), list(_PARTS.values()))[0])

    def between_post_and_record(self, over: threading.Event) -> None:
        """Kill the resender while Infobip has taken a resend and not answered yet, about every second time."""
        seen = 0
        while not over.wait(0.02):
            entries = self.infobip.world.book.entries[seen:]
            seen += len(entries)
            if any(entry.rule == SLOW for entry in entries) and self.dice.random() < 0.5:
                self.kill("effects", "before the record")


class Killed(BaseException):
    """The process is gone at once: nothing is recorded, nothing is given back."""


class Mortal(Resender):
    """A resender that may die at each of the moments that a kill from outside would hardly ever meet."""

    dice: random.Random
    deaths: Counter[str]

    def send(self, one: Any) -> None:
        self._may_die("after the claim")
        super().send(one)

    def _post(self, ready: Any) -> Any:
        self._may_die("before the request")
        result = super()._post(ready)
        self._may_die("before the record")
        return result

    def _may_die(self, moment: str) -> None:
        if self.dice.random() < 0.2:
            self.deaths[moment] += 1
            raise Killed


def die_now_and_then(context: Context, over: threading.Event, dice: random.Random, deaths: Counter[str]) -> None:
    """Run one mortal resender after the other beside the real ones, until it is over."""
    while not over.wait(0.3):
        context.owner = f"mortal-{dice.random()}"
        mortal = turned(make_resender(context, WAITS), Mortal)
        mortal.dice, mortal.deaths = dice, deaths
        left = iter(range(30))
        with suppress(Killed):
            mortal.run(lambda left=left: over.is_set() or next(left, None) is None)  # type: ignore[misc]
