"""Reports that go on to the URL that an application named with its message, which ours stands in place of.

The application gets what Infobip would have posted there: the item as it came, in Infobip's envelope. A report on a
resend of ours is told under the id that the application knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from config.relays import Relays, RelayTarget
from reports import Event
from store import parcels
from store.incidents import Sighting
from store.parcels import Parcel
from store.sends import Send
from store.vault import Vault
from workers.prepare import Prepared

MARK: Final = "X-DLR-Relay"
_JSON: Final = "application/json"
_ENCODE: Final = msgspec.json.Encoder(enc_hook=str, decimal_format="number").encode


def _unsigned(body: bytes) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Passing:
    """Makes the rows. `sign` returns the header by which an application knows Infobip's callbacks."""

    vault: Vault
    relays: Relays = field(default_factory=Relays)
    sign: Callable[[bytes], Mapping[str, str]] = _unsigned

    def row(self, number: int, item: Prepared, send: Send | None, now: datetime) -> dict[str, Any] | Sighting | None:
        """Return the row for the report of this number, nothing where there is none, or why there cannot be one."""
        if send is None or not send.report_url or item.report.event is not Event.DELIVERY:
            return None
        url = self.vault.open(send.report_url).decode("utf-8", "surrogateescape")
        try:
            target = RelayTarget.of(url)
        except ValueError as error:
            return unusable(send.account, str(error), now)
        # Whoever gets all callbacks by the relay has this one already, but for a resend under an id that is ours.
        if not item.attempt and is_relayed(self.relays, send.account, send.channel, target):
            return None
        body = _ENCODE({"results": [_as_known(item, send)]})
        # What nobody vouched for is not vouched for by us either.
        signed = self.sign(body) if item.trusted else {}
        parcel = Parcel(url, {"Content-Type": _JSON, **signed, MARK: str(item.callback_id)}, body)
        return parcels.row_of(self.vault, send.account, target, number, parcel, now)


def _as_known(item: Prepared, send: Send) -> Mapping[str, Any]:
    if not item.attempt:
        return item.report.raw
    ours, theirs = item.report.message_id, send.message_id
    return {name: theirs if value == ours else value for name, value in item.report.raw.items()}


def is_relayed(relays: Relays, account: str, channel: str, target: RelayTarget) -> bool:
    """Whether the relay passes the callbacks of this account and channel to the same target anyway."""
    return target.key in {one.key for one in relays.of(account, channel)}


def unusable(account: str, why: str, now: datetime) -> Sighting:
    """Return the sighting of a URL that nothing can be posted to."""
    return Sighting(
        account=account,
        key="report-url-unusable",
        rule="report-url-unusable",
        severity="warning",
        title=f"Reports cannot go to the URL that an application names with its messages: {why}",
        next_step="Correct notifyUrl (webhooks.delivery.url) in the application, or relay all callbacks with "
        "DLR_RELAY_URL.",
        at=now,
    )
