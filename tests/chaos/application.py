"""An application that sends through the pass-through with the care that docs/resend.md asks for."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from infobip.simulator import Simulator
from tests.chaos.scenario import DEAD, DYING, WAVERING
from tests.support.infobip import KEY

_THREADS: Final = 6
# A request that its proxy had passed on when it was killed may still be on its way.
_UNDER_WAY: Final = 1.0
_MOST_TRIES: Final = 120


@dataclass(frozen=True, slots=True)
class Order:
    """One request: people by their message ids."""

    sender: str
    people: dict[str, str]


@dataclass
class Application:
    """Sends orders; `sent` are the messages that Infobip has, by id, and `left_out` those that it has not."""

    infobip: Simulator
    base: str
    sent: dict[str, str] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    afterwards: Callable[[str, str], None] = lambda message_id, to: None

    def send_all(self, orders: Iterable[Order]) -> None:
        """Send them from several threads; raise what went wrong in one."""
        waiting, lock, wrong = iter(orders), threading.Lock(), list[BaseException]()

        def work() -> None:
            try:
                while True:
                    with lock:
                        order = next(waiting, None)
                    if order is None:
                        return
                    self.send(order)
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrong:
            raise wrong[0]

    def send(self, order: Order) -> None:
        """Send one request until every message of it is known to be there, or refused."""
        left = dict(order.people)
        for _ in range(_MOST_TRIES):
            answer = self._post(order.sender, left)
            if answer is not None and answer.status_code == 200:
                self._note(left, answer.json()["messages"])
                return
            if answer is None or answer.status_code in (500, 503, 504):
                time.sleep(_UNDER_WAY)
                left = self._without_what_is_there(left)
                if not left:
                    return
            time.sleep(0.2)
        raise AssertionError(f"{order} could not be sent")

    def _post(self, sender: str, people: dict[str, str]) -> requests.Response | None:
        destinations = [{"to": to, "messageId": message_id} for message_id, to in people.items()]
        message = {"sender": sender, "destinations": destinations, "content": {"text": f"From {sender}"}}
        headers = {"Authorization": f"App {KEY}"}
        try:
            url = f"{self.base}/sms/3/messages"
            return requests.post(url, json={"messages": [message]}, headers=headers, timeout=20)
        except requests.RequestException:
            return None

    def _note(self, people: dict[str, str], entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            message_id = entry["messageId"]
            if entry["status"]["groupName"] == "REJECTED":
                self.left_out.add(message_id)
            else:
                self.sent[message_id] = people[message_id]
                self.afterwards(message_id, people[message_id])

    def _without_what_is_there(self, people: dict[str, str]) -> dict[str, str]:
        there = {message_id: to for message_id, to in people.items() if self.infobip.times_accepted(message_id)}
        self.sent |= there
        for message_id, to in there.items():
            self.afterwards(message_id, to)
        return {message_id: to for message_id, to in people.items() if message_id not in there}


def orders(count: int, dice: random.Random) -> Iterator[Order]:
    """Yield orders of `count` messages together, a person each, but for those who die: they get a second one."""
    number = 0
    while number < count:
        several = dice.choice([1, 1, 1, 1, 3]) if number < count - 3 else 1
        people = {}
        for _ in range(several):
            kind = dice.random()
            prefix = WAVERING if kind < 0.06 else DYING if kind < 0.09 else "4477014"
            people[f"m{number}"] = f"{prefix}{number:05}"
            number += 1
        yield Order("Shop", people)
        for message_id, to in people.items():
            if to.startswith(DYING) and number < count:
                number += 1
                yield Order(DEAD, {f"{message_id}-second": to})
