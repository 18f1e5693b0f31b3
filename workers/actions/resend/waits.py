"""How long a resend waits for what, so that it is never sent twice."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from infobip.outbound.transport import Patience
from store.resending import LEASE

_MINUTES: Final = tuple(timedelta(minutes=number) for number in (1, 2, 5, 10, 15))


@dataclass(frozen=True, slots=True)
class Waits:
    """The times of a resender. No setting changes them, for each is part of a proof (OUTBOUND 7.3).

    Whoever makes others, as a test does that has no half hour, has to keep them in proportion. Raises `ValueError`
    where a lease could end while its request is still on its way.
    """

    patience: Patience = field(default_factory=Patience)
    """With one exchange with Infobip."""
    lease: timedelta = LEASE
    """How long a claimed resend is its worker's."""
    first_look: timedelta = _MINUTES[0]
    """After a lost answer, until the logs are asked."""
    pauses: tuple[timedelta, ...] = _MINUTES
    """Between two looks. Logs are late by a time that nobody states, and may be asked 120 times a minute."""
    looked_for: timedelta = timedelta(minutes=30)
    """From the first look that did not show it to the one that may prove that it was never there."""

    def __post_init__(self) -> None:
        if self.lease.total_seconds() <= 2 * self.patience.total:
            raise ValueError("a lease has to outlast two exchanges with Infobip")

    @property
    def still_sure(self) -> float:
        """Seconds after the start of a resend within which its request may begin to leave."""
        return self.lease.total_seconds() - self.patience.total
