"""Put a resender together from a worker's context, and run it."""

import threading
import time
from typing import Final

from config.accounts import load_accounts
from config.logs import log
from infobip.outbound.transport import Transport
from workers.actions.resend.limiter import Limiter
from workers.actions.resend.outlets import Outlets
from workers.actions.resend.resender import Resender
from workers.actions.resend.waits import Waits
from workers.context import Context

_LOG = log(__name__)
# Beat rings more often than a run ends; a second run beside the first would only share its work.
_running: Final = threading.Lock()


def make_resender(context: Context, waits: Waits | None = None) -> Resender:
    """Return a resender. Raises `config.settings.SettingsError`."""
    settings, waits = context.settings, waits or Waits()
    outlets = Outlets(load_accounts(settings), settings.infobip_hosts, context.vault, Transport(waits.patience))
    return Resender(
        context.database,
        context.vault,
        context.policy.rules,
        outlets,
        Limiter(settings.redis_url),
        context.owner,
        waits=waits,
    )


def send_planned(context: Context, seconds: float) -> int:
    """Send what is due for at most about `seconds`; return how many resends were moved."""
    if not _running.acquire(blocking=False):
        return 0
    try:
        end = time.monotonic() + seconds
        moved = _resender(context).run(lambda: time.monotonic() > end)
    finally:
        _running.release()
    if moved:
        _LOG.info("resends_moved", moved=moved)
    return moved


_made: dict[int, Resender] = {}


def _resender(context: Context) -> Resender:
    """Return the context's resender: connections to Infobip are kept from one run to the next."""
    found = _made.get(id(context))
    if found is None:
        _made.clear()
        found = _made[id(context)] = make_resender(context)
    return found
