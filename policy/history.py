"""What is known before a report is decided on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple


class Purpose(StrEnum):
    """What a message is for."""

    OTP = "otp"
    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"
    UNDECLARED = "undeclared"


class Failed(NamedTuple):
    """An earlier failure of the recipient that something may be counted by: one a day, channel and cause."""

    at: datetime
    cause: str
    channel: str
    excused: str = ""
    """Why it does not count: a clause that names the incident that was open for its network or domain."""


@dataclass(frozen=True, slots=True)
class History:
    """What earlier reports, attempts and the register of sends hold about a report's message and recipient."""

    purpose: Purpose = Purpose.UNDECLARED
    """As registered with the send; the policy's own mapping fills it in where nobody registered it."""
    resends: int = 0
    """Resends of this message so far, planned or made; the original does not count."""
    sent_at: datetime | None = None
    """When the original left, by our clock."""
    not_after: datetime | None = None
    """After this moment the message is worthless; from the register, else from the send's validity."""
    reached: bool = False
    """Whether some attempt or leg was delivered already."""
    open_legs: bool = False
    """Whether a failover leg of the registered send is still to come."""
    obstacle: str = ""
    """Why it can never be sent again by itself: its id stands for several people, its endpoint takes no id ..."""
    infobip_retries: bool = False
    """Whether the send asked Infobip itself to repeat it, as voice sends can."""
    failed: tuple[Failed, ...] = ()
    """Earlier failures of this recipient, on each channel since the last delivery by it."""
    excused: str = ""
    """Why this failure does not count, as in `Failed`; empty where it does."""
    failed_at: datetime | None = None
    """When this failure happened, by event time; the clock stands in where nobody knows."""
    arrived_by: tuple[str, ...] = ()
    """Channels on which something reached this recipient after this failure, by event time; we may know it before."""
    suppressions: int = 0
    """Earlier suppressions of this recipient for the same cause; pauses grow with them."""
    protected: bool = False
    """Whether an operator keeps this recipient out of the list for now."""
    trusted: bool = True
    """Whether the callback was authenticated. Nobody is suppressed or resent to on a stranger's word."""


UNSEEN: Final = History()
