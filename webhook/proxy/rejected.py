"""The delivery reports that people get for whom nothing left: what Infobip would report for its own blocklist."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection

from codes.lookup import shipped
from codes.table import Row
from config.relays import Relays, RelayTarget
from config.settings import Settings
from infobip.outbound import Destination, Position
from infobip.outbound.blocked import status_row
from infobip.outbound.signature import signature_of
from store import parcels
from store.ids import new_id
from store.parcels import Parcel
from store.raw import Raw, pack
from store.relays import queue_relays
from store.vault import Vault
from webhook.errors import JSON
from webhook.proxy.order import Order

_NO_ERROR: Final = "NO_ERROR"


class Rejections:
    """Queues reports for the relay, in the transaction that registers what became of the rest."""

    def __init__(self, settings: Settings, relays: Relays, vault: Vault) -> None:
        self._settings = settings
        self._relays = relays
        self._vault = vault

    def queue(self, connection: Connection, order: Order, ids: Mapping[Position, str]) -> None:
        """Write callbacks: one for each channel, to where that account's callbacks of that channel are passed on, and
        one for each URL that the application named itself."""
        by_channel: dict[str, list[Destination]] = {}
        for one in order.sends.destinations:
            if one.position in ids and one.notify and one.recipients:
                by_channel.setdefault(one.channel, []).append(one)
        for channel, people in by_channel.items():
            targets = self._relays.of(order.account, channel)
            if targets:
                packed = pack(self._vault, self._report(order, people, ids))
                queue_relays(connection, targets, order.account, channel, new_id(), order.now, payload=packed)
            relayed = {target.key for target in targets}
            parcels.queue(connection, list(self._to_their_own(order, people, ids, relayed)))

    def _report(self, order: Order, people: Iterable[Destination], ids: Mapping[Position, str]) -> Raw:
        body = json.dumps({"results": list(_reports(order, people, ids))}, ensure_ascii=False).encode()
        return Raw({"Content-Type": JSON, **signature_of(self._settings, body)}, body)

    def _to_their_own(
        self, order: Order, people: Iterable[Destination], ids: Mapping[Position, str], relayed: Collection[str]
    ) -> Iterable[dict[str, Any]]:
        """Yield a row for each URL that the application named with its messages, and that the relay does not serve."""
        by_url: dict[str, list[Destination]] = {}
        for one in people:
            if one.report_url:
                by_url.setdefault(one.report_url, []).append(one)
        for url, those in by_url.items():
            try:
                target = RelayTarget.of(url)
            except ValueError:
                continue  # Infobip's own reports could not go there either, and the worker says so of those
            if target.key not in relayed:
                raw = self._report(order, those, ids)
                parcel = Parcel(url, raw.headers, raw.body)
                yield parcels.row_of(self._vault, order.account, target, new_id(), parcel, order.now)


def _reports(order: Order, people: Iterable[Destination], ids: Mapping[Position, str]) -> Iterable[dict[str, Any]]:
    moment = _written(order.now)
    for one in people:
        report: dict[str, Any] = {
            "messageId": ids[one.position],
            "to": one.recipients[0].address,
            "sentAt": moment,
            "doneAt": moment,
            "messageCount": 0,
            "status": _code(status_row()),
            "error": {**_code(_no_error()), "permanent": False},
        }
        told = {"bulkId": order.sends.bulk_id, "sender": one.sender, "callbackData": one.callback_data}
        yield report | {name: value for name, value in told.items() if value}


def _code(row: Row) -> dict[str, Any]:
    return {
        "groupId": row.group_id or 0,
        "groupName": row.group,
        "id": row.id,
        "name": row.name,
        "description": "The recipient is suppressed by the sender's own delivery-report service."
        if row is status_row()
        else "No error",
    }


@cache
def _no_error() -> Row:
    rows = shipped().tables.rows
    return next(row for row in rows if (row.family, row.kind, row.name) == ("general", "error", _NO_ERROR))


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
