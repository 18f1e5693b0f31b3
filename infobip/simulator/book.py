"""What was sent: every submission, and every message that was accepted with what has become of it."""

import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from codes import Row
from infobip.simulator.endpoints import Endpoint
from infobip.simulator.submission import Submission

ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
DUPLICATE: Final = "duplicate"


@dataclass
class Message:
    """A message that Infobip has, and its latest state. `accepted` is in simulated seconds, the dates are real."""

    number: int
    id: str
    bulk_id: str
    submission: Submission
    endpoint: Endpoint
    channel: str
    mcc_mnc: str
    accepted: float
    sent_at: datetime
    status: Row
    error: Row
    done_at: datetime | None = None

    def after_last(self, moment: datetime) -> datetime:
        """Return `moment`, or just after the last report where time runs so fast that they would coincide."""
        return max(moment, (self.done_at or self.sent_at) + timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Entry:
    """One submission, as `GET /simulator/sends` shows it. `outcome` is accepted, rejected or duplicate."""

    message_id: str
    recipient: str
    channel: str
    endpoint: str
    content_hash: str
    sender: str
    bulk_id: str
    outcome: str
    status: str
    attempt: int
    rule: str
    answered: bool
    at: datetime
    callback_data: str

    def shown(self) -> dict[str, Any]:
        """Return the entry for JSON."""
        return {
            "messageId": self.message_id,
            "recipient": self.recipient,
            "channel": self.channel,
            "endpoint": self.endpoint,
            "contentHash": self.content_hash,
            "sender": self.sender,
            "bulkId": self.bulk_id,
            "outcome": self.outcome,
            "status": self.status,
            "attempt": self.attempt,
            "rule": self.rule,
            "answered": self.answered,
            "at": self.at.isoformat(),
            "callbackData": self.callback_data,
        }


@dataclass
class Book:
    """All of it, in memory, until it is cleared. `lock` guards what reads and writes must see together."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    entries: list[Entry] = field(default_factory=list)
    messages: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    accepted: Counter[str] = field(default_factory=Counter)
    """Message id -> how often it was accepted: above 1 is a double send."""
    submitted: Counter[str] = field(default_factory=Counter)
    """Message id -> how often it came, accepted or not."""
    attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(recipient, content hash) -> accepted sends."""
    tries: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(recipient, content hash) -> sends that came, refused ones included."""

    def new_id(self) -> str:
        """Return a message or bulk id as Infobip makes them."""
        return str(uuid.uuid4())

    def key(self, submission: Submission) -> tuple[str, str]:
        """Return what makes two sends the same to a person."""
        return submission.recipient, submission.content_hash

    def note(self, entry: Entry) -> None:
        """Keep one submission."""
        self.entries.append(entry)
        self.submitted[entry.message_id] += 1
        if entry.outcome == ACCEPTED:
            self.accepted[entry.message_id] += 1
            self.attempts[entry.recipient, entry.content_hash] += 1

    def keep(self, message: Message) -> None:
        """Keep a message that logs and reports can tell of."""
        self.messages[message.id].append(message)

    def find(self, message_id: str = "", recipient: str = "") -> list[Entry]:
        """Return the submissions with an id, to a recipient, or all, in the order in which they came."""
        with self.lock:
            return [
                entry
                for entry in self.entries
                if message_id in ("", entry.message_id) and recipient in ("", entry.recipient)
            ]

    def newest_messages(self, ids: Collection[str] | None = None) -> list[Message]:
        """Return the messages, the newest first; only those of some ids where they are given."""
        with self.lock:
            names = self.messages.keys() if ids is None else self.messages.keys() & set(ids)
            found = [message for name in names for message in self.messages[name]]
        return sorted(found, key=lambda message: -message.number)

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            for kept in (self.entries, self.messages, self.accepted, self.submitted, self.attempts, self.tries):
                kept.clear()
