"""What a worker itself sees that a person should know, besides what the policy alerts on."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from config.mask import mask, mask_text
from store import incidents
from store.inbox import Callback
from store.incidents import KEY_MISSING
from store.vault import KEY_FILE
from workers.prepare import Prepared


def without_channel(item: Prepared) -> incidents.Sighting:
    """Return the sighting of an item whose channel nobody named."""
    return incidents.Sighting(
        account=item.report.account,
        key="no-channel",
        rule="no-channel",
        severity="warning",
        title="Reports come in without a channel",
        next_step="Name the channel in the URL that Infobip posts to (/webhook/sms), or set DLR_DEFAULT_CHANNEL.",
        at=item.received_at,
        example=mask_text(item.report.message_id),
    )


def mentioned(item: Prepared) -> incidents.Sighting:
    """Return the sighting of an inbound message that contains a stop word without being one."""
    return incidents.Sighting(
        account=item.report.account,
        key="stop-word-mentioned",
        rule="stop-word-mentioned",
        severity="info",
        title="Inbound messages mention a stop word",
        next_step="Read them and opt the person out by hand where that is meant: `dlr reports --word mention`.",
        at=item.event_at,
        example=mask(item.report.recipient),
    )


def keys_missing(host: str, callbacks: Sequence[Callback], now: datetime) -> list[incidents.Sighting]:
    """Return the sightings, one for each account, of callbacks that this host's key file cannot open."""
    counts = Counter(callback.account for callback in callbacks)
    return [
        incidents.Sighting(
            account=account,
            key=f"{KEY_MISSING}|host={host}",
            rule=KEY_MISSING,
            severity="critical",
            title=f"A key is missing on the worker's host {host}: callbacks wait for it",
            next_step=f"Copy {KEY_FILE} from the host that the keys were rotated on; the worker reads it by itself.",
            at=now,
            count=count,
        )
        for account, count in sorted(counts.items())
    ]
