"""What the register tells about a slice: whose resend a report is about, and what the send asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from policy import History, Purpose
from reports import Event, normalise
from store import aliases, sends
from store.sends import Send
from store.vault import Vault
from workers.prepare import Prepared


@dataclass(frozen=True, slots=True)
class Register:
    """The sends that a slice's failures are about."""

    sends: Mapping[bytes, Send]
    in_use: bool

    def is_last_leg(self, item: Prepared) -> bool:
        """Whether nothing of what the send asked for can follow this item's leg."""
        send = self.sends.get(item.message_key)
        return send is not None and bool(item.report.own_channel) and _is_last(item, send)

    def may_follow(self, item: Prepared) -> bool:
        """Whether Infobip may go on with another leg after this item's.

        Not every family of reports names its leg's channel: then it is the one that the callback came by.
        """
        send = self.sends.get(item.message_key)
        if send is None:
            return bool(item.report.own_channel)
        return bool(item.report.own_channel or send.failover) and not _is_last(item, send)

    def add_to(self, history: History, item: Prepared) -> History:
        """Return the history with what the register knows of the item's message."""
        send = self.sends.get(item.message_key)
        if send is None:
            return replace(history, resends=item.attempt) if item.attempt else history
        return replace(
            history,
            resends=item.attempt,
            purpose=Purpose(send.purpose),
            sent_at=send.sent_at,
            not_after=send.not_after,
            open_legs=self.may_follow(item),
            infobip_retries=send.repeats,
            obstacle=send.obstacle,
        )


def _is_last(item: Prepared, send: Send) -> bool:
    if item.attempt and item.report.channel not in (send.channel, *send.failover):
        return True  # another channel was tried instead, and that is all of it
    return not send.failover or item.report.channel == send.failover[-1]


NOTHING = Register({}, in_use=False)


def look_up(connection: Connection, items: Sequence[Prepared]) -> Register:
    """Return what is registered of the messages that these items are delivery reports on."""
    told = {item.message_key for item in items if item.message_key and item.report.event is Event.DELIVERY}
    return Register(sends.find(connection, told), in_use=True)


def of_originals(connection: Connection, items: Sequence[Prepared], vault: Vault) -> list[Prepared]:
    """Let reports on resends be about the messages that were sent first."""
    found = aliases.find(connection, {key for item in items for key in item.message_keys})
    if not found:
        return list(items)
    changed = []
    for item in items:
        mine, others = found.get(item.message_key), found.get(item.other_key)
        if mine is not None:
            item = item.but(message_key=mine.message_key, other_key=b"", attempt=mine.attempt)
        elif others is not None:
            # The person is whom this report calls the sender.
            report = replace(item.report, recipient=normalise(item.report.sender), sender="")
            person = vault.hash_address(report.account, report.recipient)
            item = item.but(report=report, recipient=person, message_key=others.message_key, other_key=b"")
            item = item.but(attempt=others.attempt)
        changed.append(item)
    return changed


def with_attempts(connection: Connection, items: Sequence[Prepared]) -> list[Prepared]:
    """Return the items, each saying which attempt of its message it is about; their keys stay as they are."""
    found = aliases.find(connection, {key for item in items for key in item.message_keys})
    return [
        item.but(attempt=mine.attempt)
        if (mine := found.get(item.message_key) or found.get(item.other_key)) is not None
        else item
        for item in items
    ]
