"""`python -m tests.chaos.hurried`: what `dlr up` runs, in which resends wait for seconds where they wait for minutes.

The parts are forks of this process, so they have what is changed here. No setting of the product can do the same.
"""

import importlib
import sys
from datetime import timedelta
from functools import partial
from typing import Any, Final

from cli.supervisor.loop import Supervisor
from cli.supervisor.part import Patience as Restarts
from infobip.outbound.transport import Patience
from tests.chaos.short_lease import shorten
from workers.actions.resend import run
from workers.actions.resend.waits import Waits

WAITS: Final = Waits(
    patience=Patience(connect=1, answer=3, total=3, idle=2),
    lease=timedelta(seconds=7),
    first_look=timedelta(seconds=1),
    pauses=tuple(timedelta(seconds=number) for number in (1, 2, 3, 4)),
    looked_for=timedelta(seconds=9),
)
# Parts that are killed every few seconds would be left alone for longer and longer.
_RESTARTS: Final = Restarts(first=0.2, longest=0.5, stable=2.0)


def main() -> int:
    """Run it until a signal ends it."""
    shorten()
    run.make_resender = partial(run.make_resender, waits=WAITS)
    up: Any = importlib.import_module("cli.supervisor.start")
    up.Supervisor = partial(Supervisor, patience=_RESTARTS)
    return int(up.main())


if __name__ == "__main__":
    sys.exit(main())
