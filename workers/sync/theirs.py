"""What a record of Infobip's Blocklist means here: a person's own stop is what its BLOCK event is, so both agree."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from codes.channels import UNKNOWN
from infobip.inbound.families import FAMILIES
from infobip.inbound.family import Context as ItemContext
from infobip.outbound.lists.outcome import Record
from policy import History, Mode, Rules, Suppress, decide
from policy.mirror import OURS, OWN_STOPS
from reports import normalise
from store.inbox import Callback
from store.suppressions import Entry, cut
from store.sync_pull import Told, entry_of_theirs
from store.sync_seen import Key, Seen
from store.vault import Vault
from workers import rows
from workers.prepare import Preparer

_FAMILY: Final = "blocklist"
_JSON: Final = "application/json"


class Reader:
    """Reads records of one installation's accounts."""

    def __init__(self, vault: Vault, preparer: Preparer, rules: Callable[[], Rules]) -> None:
        self._vault = vault
        self._preparer = preparer
        self._rules = rules

    def key(self, account: str, record: Record) -> Key:
        """Return by what a record is known here."""
        address = self._vault.hash_address(account, normalise(record.address))
        return address, record.channel, cut(record.scope, 255), record.source[:16]

    def read(self, account: str, record: Record, now: datetime) -> Told:
        """Return what a record means; without an entry where our list cannot say it, or nobody knows its source."""
        address, key = normalise(record.address), self.key(account, record)
        entry = None
        if _is_person(address) and (record.channel != UNKNOWN or record.scope):
            if record.source in OWN_STOPS:
                entry = self._as_block(account, record, address, now)
            elif record.source == OURS and record.channel != UNKNOWN:
                entry = entry_of_theirs(account, key, record.created or now)
        return Told(key, address, Seen(record.created, record.account_key), entry)

    def _as_block(self, account: str, record: Record, address: str, now: datetime) -> Entry | None:
        """Return the entry to which the BLOCK event of this record leads by the rules in force, or led already."""
        made = record.created or now
        content = {"destination": address, "sourceType": record.source}
        content |= {"sender": record.scope} if record.scope else {}
        content |= {"channel": record.channel.upper()} if record.channel else {}
        item = {"event": "BLOCK", "receivedAt": made.isoformat(), "messageId": "", "content": content}
        family = FAMILIES[_FAMILY]
        report = family.to_report(family.load(item), item, ItemContext(account, _FAMILY))
        callback = Callback(0, account, _FAMILY, _JSON, b"", now, trusted=True, state="", alone_attempts=0)
        prepared = self._preparer.item(callback, 0, report)
        if prepared.meaning is None:
            return None
        decision = decide(report, prepared.meaning, History(trusted=True), self._rules(), now)
        wanted = (one for one in decision.actions if isinstance(one, Suppress) and not one.confirms)
        action = next((one for one in wanted if one.mode is not Mode.OBSERVE), None)
        return None if action is None else rows.entry_of(0, prepared, decision, action)


def _is_person(address: str) -> bool:
    """Whether it is one mailbox or number: the list may hold whole mail domains, which ours cannot say."""
    return "@" in address or address.isdecimal()
