"""The whole simulator as one object: what tests use, and what `dlr simulate` runs."""

import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infobip.simulator.app import make_app
from infobip.simulator.load import load_scenario, read_scenario
from infobip.simulator.scenario import Scenario
from infobip.simulator.server import Server
from infobip.simulator.world import World

Source = Scenario | Mapping[str, Any] | str | Path | None
"""A scenario: built, as a mapping, as a file, or by the name of a shipped one. `None`: everything is delivered."""


class Simulator:
    """An offline Infobip on a port of its own.

    with Simulator({"rule": [...]}, notify_url="http://127.0.0.1:8080/webhook/{channel}/TOKEN") as infobip:
        requests.post(f"{infobip.url}/sms/3/messages", headers=infobip.headers, json=...)
        infobip.settle()
    """

    def __init__(
        self,
        scenario: Source = None,
        *,
        notify_url: str = "",
        api_key: str = "",
        speed: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
        post_anywhere: bool = False,
    ) -> None:
        """Listen, but answer only after `start`. `notify_url` may hold `{channel}`.

        Raises `ScenarioError`, `CannotListen`, and `ValueError` for a speed that is not above 0.
        """
        self.api_key = api_key or secrets.token_hex(16)
        self.world = World(scenario_of(scenario), self.api_key, notify_url, speed, post_anywhere=post_anywhere)
        self._server = Server(make_app(self.world), host, port)
        self.port = self._server.port
        self.url = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
        self.headers = {"Authorization": f"App {self.api_key}"}

    def start(self) -> Self:
        """Begin to answer, to let reports happen and to post them."""
        self.world.start()
        self._server.start()
        return self

    def stop(self) -> None:
        """End all of it; nothing is left behind."""
        self.world.stopping.set()
        self._server.stop()
        self.world.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def load(self, scenario: Source) -> None:
        """Go on under another scenario. Raises `ScenarioError`."""
        self.world.load(scenario_of(scenario))

    def advance(self, seconds: float) -> None:
        """Jump ahead in simulated time."""
        self.world.clock.advance(seconds)

    def set_speed(self, speed: float) -> None:
        """Let simulated time pass so many times as fast as real time."""
        self.world.clock.set_speed(speed)

    def sends(self, message_id: str = "", recipient: str = "") -> list[dict[str, Any]]:
        """Return the submissions, in order, with an id or to a recipient where that is asked."""
        return [entry.shown() for entry in self.world.book.find(message_id, recipient)]

    def times_accepted(self, message_id: str) -> int:
        """Return how often an id was accepted: 2 is a double send."""
        return self.world.book.accepted[message_id]

    def counts(self) -> dict[str, Any]:
        """Return what `GET /simulator/counts` shows."""
        return self.world.counts()

    def callbacks(self, state: str = "", message_id: str = "", *, bodies: bool = False) -> list[dict[str, Any]]:
        """Return the callbacks, in order: where they went, what they held, how they were answered."""
        return self.world.poster.shown(state, message_id, with_body=bodies)

    def opt_out(self, recipient: str, channel: str = "", source: str = "MO", sender: str = "") -> None:
        """Let a person stop: an entry of the blocklist that Infobip makes itself, with its event.

        `channel` is Infobip's name of one (SMS), or empty for all.
        """
        self.world.opt_out(recipient, channel, source, sender)

    def reset(self) -> None:
        """Forget all that happened; the scenario begins anew."""
        self.world.reset()

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until all reports have happened and been posted once; raises `TimeoutError`.

        Callbacks that wait for their repetition are not waited for.
        """
        pause = threading.Event()
        for _ in range(max(1, round(seconds / 0.01))):
            if self.world.is_settled:
                return
            pause.wait(0.01)
        raise TimeoutError(f"after {seconds:.0f} s there are still reports to come: {self.world.counts()['waiting']}")


def scenario_of(source: Source) -> Scenario:
    """Return the scenario that is meant. Raises `ScenarioError`."""
    if source is None:
        return Scenario()
    if isinstance(source, Scenario):
        return source
    return read_scenario(source) if isinstance(source, Mapping) else load_scenario(source)
