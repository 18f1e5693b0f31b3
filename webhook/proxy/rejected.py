"""The delivery reports that people get for whom nothing left: what Infobip would report for its own blocklist."""

import base64
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection

from codes.lookup import shipped
from codes.table import Row
from config.hmac_keys import HmacKeys
from config.relays import Relays
from config.settings import Settings
from infobip.outbound import Destination, Position
from infobip.outbound.blocked import status_row
from store.ids import new_id
from store.relays import Raw, pack, queue_relays
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
        """Write one callback for each channel, to where that account's callbacks of that channel are passed on."""
        by_channel: dict[str, list[Destination]] = {}
        for one in order.sends.destinations:
            if one.position in ids and one.notify and one.recipients:
                by_channel.setdefault(one.channel, []).append(one)
        for channel, people in by_channel.items():
            if targets := self._relays.of(order.account, channel):
                body = json.dumps({"results": list(_reports(order, people, ids))}, ensure_ascii=False).encode()
                packed = pack(self._vault, Raw({"Content-Type": JSON, **self._signature(body)}, body))
                queue_relays(connection, targets, order.account, channel, new_id(), order.now, payload=packed)

    def _signature(self, body: bytes) -> dict[str, str]:
        """Return the header by which the application knows Infobip's callbacks, if there is one."""
        settings = self._settings
        key = next(iter(HmacKeys(settings).values()), "")
        if not key or not settings.hmac_header:
            return {}
        digest = hmac.digest(key.encode(), body, settings.hmac_algorithm.lower())
        encoding = settings.hmac_encoding.lower()
        encode = base64.b64encode if encoding == "base64" else base64.urlsafe_b64encode
        written = digest.hex() if encoding == "hex" else encode(digest).decode("ascii")
        return {settings.hmac_header: settings.hmac_prefix + written}


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
