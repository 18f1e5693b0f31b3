"""All parts of the simulator, tied together."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from infobip.simulator.blocklist import Blocklist
from infobip.simulator.bodies import JSON
from infobip.simulator.book import Book
from infobip.simulator.callbacks import RETRY_KIND, Poster
from infobip.simulator.clock import Clock, Schedule, stamp
from infobip.simulator.credentials import Credentials
from infobip.simulator.devices import Devices
from infobip.simulator.limits import Limits
from infobip.simulator.pulls import Pulls
from infobip.simulator.reporting import REPORT_KIND, Reporting
from infobip.simulator.rules import Rules
from infobip.simulator.scenario import Scenario
from infobip.simulator.sending import Sending
from infobip.simulator.shapes import written_date
from infobip.simulator.subscriptions import Subscriptions
from infobip.simulator.suppressions import Suppressions
from infobip.simulator.targets import Reach, Target, Targets

_CHANGE_KIND = "change"


class World:
    """One simulated Infobip with one account."""

    def __init__(
        self, scenario: Scenario, api_key: str, notify_url: str, speed: float, *, post_anywhere: bool = False
    ) -> None:
        self.clock = Clock(speed)
        self.credentials = Credentials(api_key, self.clock)
        self.book = Book()
        self.limits = Limits(self.clock)
        self.blocklist = Blocklist(self._later)
        self.suppressions = Suppressions(self._later)
        self.devices = Devices()
        self.subscriptions = Subscriptions()
        self.pulls = Pulls()
        self.targets = Targets(self.subscriptions, notify_url)
        self.poster = Poster(self.clock, Reach((notify_url,), everywhere=post_anywhere), scenario.posting.hmac_header)
        self.schedule = Schedule(self.clock, self.poster.flush)
        self.reporting = Reporting(self.clock, self.schedule, self.poster, self.targets, self.pulls)
        self.sending = Sending(self.clock, self.book, self.reporting, self.blocklist, self.suppressions, self.devices)
        self.requests: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.rules: Rules
        self.load(scenario)

    def start(self) -> None:
        """Begin to let things happen."""
        self.schedule.start()
        self.poster.start(self.schedule)

    def stop(self) -> None:
        """End, and wait for what is on its way."""
        self.stopping.set()
        self.schedule.stop()
        self.poster.stop()

    def load(self, scenario: Scenario) -> None:
        """Go on under a scenario, whose time begins now. Reports that are planned already still come.

        Raises `ScenarioError`.
        """
        self.rules = Rules(scenario, self.clock.now())
        self.limits.enforced = scenario.limits
        self.poster.hmac_header = scenario.posting.hmac_header
        self.devices.registrations = scenario.registrations
        self.devices.applications = scenario.applications
        self.blocklist.fill(scenario.blocklist)

    def reset(self) -> None:
        """Forget all that happened, and begin the scenario anew."""
        self.schedule.clear()
        for part in (self.book, self.limits, self.blocklist, self.suppressions, self.devices, self.subscriptions):
            part.clear()
        self.pulls.clear()
        self.poster.clear()
        for counter in (self.requests, self.faults, self.reporting.counts):
            counter.clear()
        self.sending.spent = 0.0
        self.load(self.rules.scenario)

    @property
    def is_settled(self) -> bool:
        """Whether no report and no change is still to come or on its way."""
        waiting = self.schedule.waiting(REPORT_KIND) + self.schedule.waiting(_CHANGE_KIND)
        return not waiting and self.poster.idle

    def counts(self) -> dict[str, Any]:
        """Return the numbers of this run."""
        with self.book.lock:
            outcomes = Counter(entry.outcome for entry in self.book.entries)
            doubled = {name: number for name, number in self.book.accepted.items() if number > 1}
            repeated = sum(number > 1 for number in self.book.attempts.values())
            messages = len(self.book.messages)
        return {
            "requests": dict(self.requests),
            "faults": dict(self.faults),
            "submissions": dict(outcomes),
            "messages": messages,
            "acceptedTwice": doubled,
            "sameContentToSameRecipient": repeated,
            "reports": dict(self.reporting.counts),
            "callbacks": dict(self.poster.counts),
            "waiting": {
                "reports": self.schedule.waiting(REPORT_KIND),
                "retries": self.schedule.waiting(RETRY_KIND),
                "pulls": len(self.pulls),
            },
            "blocklist": self.blocklist.counts(),
            "suppressions": self.suppressions.counts(),
            "clock": {"simulated": round(self.clock.now(), 3), "speed": self.clock.speed},
            "scenario": self.rules.scenario.name,
        }

    def opt_out(self, recipient: str, channel: str, source: str, sender: str) -> None:
        """Put a person's own stop into the blocklist and tell the BLOCKLIST subscription."""
        self.blocklist.put(recipient, sender, channel, source)
        profile = self.subscriptions.blocklist_profile("BLOCK")
        if profile is None:
            return
        content = {"sender": sender, "destination": recipient, "channel": channel, "sourceType": source}
        item = {
            "event": "BLOCK",
            "receivedAt": written_date(stamp()),
            "messageId": str(uuid4()),
            "content": {name: value for name, value in content.items() if value},
        }
        url, bucket = profile["webhook"]["notifyUrl"], profile.get("maxBucketSize", 100)
        self.poster.put(Target(url, "blocklist", "unified", JSON, bucket, 10.0, profile, profile["profileId"]), item)
        self.poster.flush()

    def _later(self, change: Callable[[], None]) -> None:
        self.schedule.at(self.clock.now() + self.rules.scenario.blocklist_delay, _CHANGE_KIND, change)
