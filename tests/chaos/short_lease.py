"""`python -m tests.chaos.short_lease`: what `dlr up` runs, in which a dead worker's callbacks are free after seconds.

The parts are forks of this process, so they have what is changed here. No setting of the product can do the same.
"""

import importlib
import sys
from datetime import timedelta
from typing import Final

from store import inbox
from workers import lease

LEASE: Final = timedelta(seconds=6)


def shorten() -> None:
    """Let leases of callbacks end after seconds, and be renewed in time for that."""
    vars(inbox)["LEASE"] = LEASE
    lease.Lease.__init__.__defaults__ = (LEASE.total_seconds() / 3,)


def main() -> int:
    """Run it until a signal ends it."""
    shorten()
    return int(importlib.import_module("cli.supervisor.start").main())


if __name__ == "__main__":
    sys.exit(main())
