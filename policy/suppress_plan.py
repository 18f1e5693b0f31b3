"""How a rule suppresses: at once, after days of failure, or by tiers that grow with how often somebody failed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

FOREVER: Final = timedelta(days=5 * 365)
"""No pause is made longer than this by growing."""
KEPT: Final = timedelta(days=400)
"""How long failures are kept, so how far back anything can be counted."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What the `times`th failure of one kind within `within` leads to. `lasts` is `None` for good."""

    times: int = 1
    within: timedelta = KEPT
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class SuppressPlan:
    """How a rule suppresses. `lasts` is `None` for good; `failures` days of failure `within` are needed first.

    With `tiers`, the first of which is the mildest, they say how long and after how many; `lasts`, `grow`, `failures`
    and `within` say nothing then.
    """

    scope: str
    purpose: str = "all"
    lasts: timedelta | None = None
    grow: int = 1
    hold: bool = False
    failures: int = 1
    within: timedelta = timedelta(days=30)
    confirms: bool = False
    """Whether it is no more than another list's word: what stands here is confirmed, and nothing is made."""
    tiers: tuple[Tier, ...] = ()

    @property
    def at_once(self) -> bool:
        """Whether the very first failure suppresses."""
        return self.tiers[0].times <= 1 if self.tiers else self.failures <= 1
