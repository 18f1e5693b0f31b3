"""How reports move messages, and how a message is found that a seen report told of first."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from codes import Outcome
from reports import Event, normalise
from reports.states import REACHED, Leg, State, is_hearsay, leg_name, moved, told_by
from store import joins, messages
from store.messages import Message
from workers.effects import Effects
from workers.failed import failure_of
from workers.prepare import Prepared

_DUPLICATE: Final = "duplicate"
Known = Mapping[bytes, Message]


def find_known(connection: Connection, keys: set[bytes]) -> tuple[Known, set[bytes]]:
    """Return the messages of these keys, and those that they are only another name of, as far as they are known.

    The second set are the keys of the latter that a delivery report told of, so that they are messages of their own.
    """
    known = messages.find(connection, keys)
    twins = {bytes.fromhex(message.sender) for message in known.values() if message.is_pointer}
    if not twins:
        return known, set()
    return known | messages.find(connection, twins - keys), joins.told_of_by_delivery(connection, twins)


def of_our_message(item: Prepared, known: Known, own: set[bytes], effects: Effects) -> Prepared:
    """Give a seen report the message it is about: products differ in which side they call sender and recipient.

    `known` and `own` are what `find_known` returned.
    """
    if not item.other_key:
        return item
    mine = _standing(item.message_key, known, effects)
    if mine is not None and (not mine.is_pointer or _pointed_at(mine, known, own, effects) is not None):
        return item
    other = _standing(item.other_key, known, effects)
    if other is None:
        return item
    report = replace(item.report, recipient=normalise(item.report.sender), sender="")
    return item.but(report=report, message_key=item.other_key, other_key=b"", recipient=other.recipient)


def _standing(key: bytes, known: Known, effects: Effects) -> Message | None:
    return effects.changed.get(key) or (None if key in effects.gone else known.get(key))


def _pointed_at(pointer: Message, known: Known, own: set[bytes], effects: Effects) -> Message | None:
    """Return the message that a pointer is another name of, unless that proved to be one of its own."""
    key = bytes.fromhex(pointer.sender)
    return None if key in own or effects.has_delivery(key) else _standing(key, known, effects)


def message_of(item: Prepared, known: Known, own: set[bytes], effects: Effects) -> Message | None:
    """Return the message that an item is about, as it stands now; join what turns out to be one.

    `known` and `own` are what `find_known` returned.
    """
    message = _standing(item.message_key, known, effects)
    if message is None or not message.is_pointer:
        return message
    twin = _pointed_at(message, known, own, effects)
    if twin is None:
        effects.forget(message.key)
        return None
    # A stranger's word is not enough to say who the person is.
    if not item.trusted and not is_hearsay(twin.legs):
        return message
    joined = twin._replace(key=message.key, recipient=item.recipient, sender="", mcc_mnc="")
    effects.forget(message.key)
    effects.forget(twin.key)
    effects.give_reports(twin.key, joined)
    effects.keep_new(joined)
    return joined


def move(item: Prepared, message: Message | None, outcome: Outcome, effects: Effects) -> None:
    """Move the message's state, and note what follows from that for its recipient."""
    told = told_by(item.report, str(outcome))
    if told is None or (message is not None and _must_not_move(item, message)):
        return
    report = item.report
    if item.meaning is not None and item.meaning.cause == _DUPLICATE:
        # The refused copy says nothing about the message that has the id already.
        if message is not None:
            return
        told = State.UNKNOWN
    leg = leg_name(report.own_channel, trusted=item.trusted, attempt=item.attempt)
    if message is None and not leg and report.event is Event.DELIVERY:
        # Nearly every report: the first one on a message that goes one way.
        after = _first(item, told)
    else:
        after = _moved(item, _before(item, message), leg, told, effects)
    if message is None:
        effects.new.add(item.message_key)
        if item.other_key:
            _name_other_side(item, effects)
    if after != message:
        effects.changed[item.message_key] = after
    if not item.trusted:
        return
    if item.attempt:
        effects.settled.append((report.account, item.message_key, item.attempt))
    if told in REACHED:
        _reached(item, effects)
    elif told is State.FAILED and item.recipient and after.legs[leg].state is State.FAILED:
        # A leg that failed is a failure on its channel, whatever becomes of the message by another one.
        effects.add_failure(failure_of(item))


def _first(item: Prepared, told: State) -> Message:
    """Return the message as its first report tells of it."""
    report = item.report
    # The first eight by place, which is quicker: this is made for nearly every report.
    return Message(
        item.message_key,
        report.account,
        report.message_id,
        item.recipient,
        report.channel,
        item.received_at,
        {"": Leg(told, item.event_at)},
        told,
        sender=report.sender,
        mcc_mnc=report.mcc_mnc,
        fingerprint=item.fingerprint,
    )


def _moved(item: Prepared, before: Message, leg: str, told: State, effects: Effects) -> Message:
    """Return the message as it stands after one more report."""
    report = item.report
    legs = moved(before.legs, leg, told, item.event_at)
    after = before.with_legs(legs, last_leg_failed=effects.register.is_last_leg(item))
    # Only a delivery report surely names our side as its sender; a seen report's may be the person. On another channel
    # the sender is another one, and the network nobody's.
    elsewhere = bool(item.attempt) and report.channel != before.channel
    told_ours = report.event is Event.DELIVERY and not elsewhere
    if told_ours and (report.sender, report.mcc_mnc) != (before.sender, before.mcc_mnc):
        after = after._replace(sender=report.sender or before.sender, mcc_mnc=report.mcc_mnc or before.mcc_mnc)
    return after


def _must_not_move(item: Prepared, message: Message) -> bool:
    """Whether the report is a stranger's, and the message one that trusted reports told of."""
    return not item.trusted and (message.is_pointer or (bool(message.legs) and not is_hearsay(message.legs)))


def _before(item: Prepared, message: Message | None) -> Message:
    report = item.report
    if message is None:
        return Message(
            key=item.message_key,
            account=report.account,
            message_id=report.message_id,
            recipient=item.recipient,
            channel=report.channel,
            first_at=item.received_at,
            legs={},
            state=State.UNKNOWN,
            fingerprint=item.fingerprint if item.makes_known else b"",
        )
    if item.trusted and is_hearsay(message.legs):
        return message._replace(channel=report.channel, sender="", mcc_mnc="")
    return message


def _name_other_side(item: Prepared, effects: Effects) -> None:
    """Let the message be found under the other side's address too: a delivery report will say who the person is."""
    assert item.other_key
    other = normalise(item.report.sender)
    pointer = Message(
        key=item.other_key,
        account=item.report.account,
        message_id="",
        recipient=effects.vault.hash_address(item.report.account, other),
        channel=item.report.channel,
        first_at=item.received_at,
        legs={},
        state=State.UNKNOWN,
        sender=item.message_key.hex(),
    )
    effects.keep_new(pointer)


def _reached(item: Prepared, effects: Effects) -> None:
    effects.reached.add(item.message_key)
    if item.recipient:
        key = (item.report.channel, item.recipient)
        effects.channels.add(item.report.channel)
        effects.deliveries.setdefault(key, []).append(item.event_at)
