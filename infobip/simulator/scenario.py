"""What a scenario says: how the simulated world behaves. Data only; `schema` reads it, `rules` applies it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from infobip.simulator.coding import Wish

SEND: Final = "send"
APIS: Final = (
    SEND,
    "logs",
    "reports",
    "blocklist",
    "suppressions",
    "push",
    "subscriptions",
    "account",
    "token",
    "validate",
)
"""What a rule can be about: `send` for all that sends, and the other parts of the API for their faults."""


@dataclass(frozen=True, slots=True)
class Step:
    """One report: `after` seconds since the message was accepted (or its planned time), with these codes.

    `leg` is the slug of the channel that a failover step went by, `smtp` a mailbox provider's answer; a `seen` step
    is a seen report and carries no codes.
    """

    after: float = 1.0
    status: Wish | None = None
    error: Wish | None = None
    leg: str = ""
    smtp: str = ""
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """`attempt = 2` or `attempt = "2+"`: a number, or it and all above."""

    least: int
    most: int | None = None

    def holds(self, number: int) -> bool:
        """Whether `number` is meant."""
        return self.least <= number and (self.most is None or number <= self.most)


@dataclass(frozen=True, slots=True)
class Match:
    """When a rule applies: all that is given has to hold, and of a list one member.

    `share` of what comes to the rule, chosen by message (or by recipient, with `share_of`). `attempt` is the how
    manieth accepted send of this content to this recipient it would be, `request` the how manieth try, refused ones
    included. `since` and `until` are seconds since the scenario began, `times` how often the rule applies at most.
    """

    api: str = SEND
    recipient: frozenset[str] = frozenset()
    prefix: tuple[str, ...] = ()
    channel: frozenset[str] = frozenset()
    sender: frozenset[str] = frozenset()
    network: frozenset[str] = frozenset()
    share: float = 1.0
    share_of: str = "message"
    attempt: Count | None = None
    request: Count | None = None
    since: float = 0.0
    until: float | None = None
    times: int | None = None

    @property
    def needs_the_body(self) -> bool:
        """Whether it can only be judged when the request was read."""
        by_message = self.recipient or self.prefix or self.sender or self.network or self.share < 1
        return bool(by_message) or self.attempt is not None or self.request is not None


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens instead of an answer: an HTTP `status`, or a connection dropped `before` or `after` accepting.

    `retry_after` (seconds) is sent along with the status, if it is given.
    """

    status: int | None = None
    retry_after: float | None = None
    drop: str = ""

    @property
    def is_after(self) -> bool:
        """Whether the messages are accepted all the same."""
        return self.drop == "after"


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to the messages that match.

    `reports` follow the acceptance (`None`: those of `otherwise`); `answer` is a status, usually of the group
    REJECTED, for the message inside the 200; `fault` concerns the whole request; `slow` is in real seconds.
    """

    name: str = ""
    match: Match = field(default_factory=Match)
    reports: tuple[Step, ...] | None = None
    answer: Wish | None = None
    fault: Fault | None = None
    slow: float = 0.0


@dataclass(frozen=True, slots=True)
class Posting:
    """How reports are posted.

    `duplicates` and `out_of_order` are shares of the reports and messages; `intermediate` is `asked`, `always` or
    `never`; `bucket` is how many reports a request holds at most where no profile says it; `timeout` is in real
    seconds.
    """

    duplicates: float = 0.0
    out_of_order: float = 0.0
    intermediate: str = "asked"
    bucket: int = 100
    timeout: float = 10.0
    hmac_header: str = "x-hub-signature"


@dataclass(frozen=True, slots=True)
class Blocked:
    """An entry that stands in the blocklist from the beginning."""

    destination: str
    sender: str = ""
    channel: str = ""
    source: str = "CUSTOM"


@dataclass(frozen=True, slots=True)
class Scenario:
    """The whole. The default: everything is delivered after a second."""

    name: str = "everything is delivered"
    seed: int = 0
    rules: tuple[Rule, ...] = ()
    otherwise: tuple[Step, ...] = (Step(),)
    posting: Posting = field(default_factory=Posting)
    logs_delay: float = 0.0
    """Simulated seconds until a message shows in the logs."""
    blocklist_delay: float = 1.0
    """Simulated seconds until a change of the blocklist or of the suppressions is in force."""
    duplicate_ids: str = "reject"
    """What an id that was accepted before gets: `reject`, `report` (reject and report it, too), or `accept`."""
    blocked_is: str = "both"
    """How a blocklisted recipient shows: in the `answer`, in a `report`, or in `both`."""
    limits: bool = True
    """Whether Infobip's documented rate limits hold, on the simulated clock."""
    pull_pushed: bool = False
    """Whether a report that was posted can be pulled as well (no source tells)."""
    balance: float | None = None
    """Money of the account; without it, it never runs out."""
    networks: Mapping[str, str] = field(default_factory=dict)
    """Prefix of a number -> mccMnc; the longest prefix counts."""
    blocklist: tuple[Blocked, ...] = ()
    registrations: frozenset[str] = frozenset()
    """The push registrations that exist; without any, all do."""
    applications: frozenset[str] = frozenset()
    """The push applications that exist; without any, all do."""
