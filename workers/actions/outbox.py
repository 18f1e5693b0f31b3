"""Send what waits in the outbox: claim, act, record."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from config.logs import log
from config.relays import Relays
from store.database import Database
from store.relays import take_up
from workers.actions.forward import ForwardKind
from workers.actions.kinds import Kind
from workers.actions.notify import NotifyKind
from workers.actions.parcel import ParcelKind
from workers.actions.post import Road
from workers.actions.relay import RelayKind
from workers.actions.sender import Sender
from workers.actions.sieve import Sieve
from workers.context import Context

_LOG = log(__name__)


def _relay(context: Context, road: Road) -> Kind:
    sieve = Sieve(context.settings, context.database, context.vault)
    return RelayKind(Relays.read(context.settings.relay_url), road, context.database, context.vault, sieve)


def _forward(context: Context, road: Road) -> Kind:
    return ForwardKind(context.forward.endpoints(), road, context.database, context.vault)


def _report(context: Context, road: Road) -> Kind:
    return ParcelKind(road, context.database, context.vault)


def _notify(context: Context, road: Road) -> Kind:
    # Where alerts go is the operator's own choice, and mostly inside their network.
    return NotifyKind(context.routes.routes, replace(road, private=True), context.database)


KINDS: Final[Mapping[str, Callable[[Context, Road], Kind]]] = {
    "relay": _relay,
    "forward": _forward,
    "report": _report,
    "notify": _notify,
}


def _now() -> datetime:
    return datetime.now(UTC)


def make_sender(context: Context, *, road: Road | None = None, clock: Callable[[], datetime] = _now) -> Sender:
    """Return a sender of every kind there is. Raises `SettingsError` where DLR_RELAY_URL cannot be read."""
    taken = road or Road(private=context.settings.relay_private)
    kinds = {name: make(context, taken) for name, make in KINDS.items()}
    relays = Relays.read(context.settings.relay_url)
    return Sender(context.database, context.owner, kinds, clock, partial(_take_up, context.database, relays))


def _take_up(database: Database, relays: Relays) -> None:
    if without := take_up(database, relays):
        _LOG.warning(
            "relay_without_target",
            callbacks=without,
            next_step="give this worker the DLR_RELAY_URL that the endpoint has; what was passed over stays in the "
            "inbox, and is not passed on any more",
        )


# Beat rings more often than a run ends, and a second run beside the first would only double the load on each target.
_running: Final = threading.Lock()


def send_outbox(context: Context, seconds: float) -> int:
    """Send what is due for at most about `seconds`; return how many rows were settled."""
    if not _running.acquire(blocking=False):
        return 0
    try:
        settled = make_sender(context).run(seconds)
    finally:
        _running.release()
    if settled:
        _LOG.info("outbox_sent", settled=settled)
    return settled
