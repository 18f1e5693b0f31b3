"""Messages and their states."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, update

from reports.states import Leg, Legs, State, attempt_of, state_of
from store import ledger
from store.moments import from_ms, to_ms
from store.parts import in_parts
from store.schema import messages
from store.vault import Vault
from store.writes import Line, insert_lines, select_in, upsert_lines

_AT_ONCE: Final = 10_000
_key: Final = attrgetter("key")
_COLUMNS: Final = (
    "key",
    "account",
    "message_id",
    "recipient",
    "channel",
    "state",
    "legs",
    "resends",
    "purpose",
    "sender",
    "mcc_mnc",
    "first_at",
    "changed_at",
    "fingerprint",
)
# What reports change of a message that is known.
_MOVING: Final = ("channel", "state", "legs", "sender", "mcc_mnc", "changed_at")


class Message(NamedTuple):
    """What is known of one message to one recipient. `key` is a hash of account, message id and recipient.

    A named tuple, since one or two are made for every report.
    """

    key: bytes
    account: str
    message_id: str
    recipient: bytes
    channel: str
    first_at: datetime
    legs: Legs
    state: State
    resends: int = 0
    purpose: str = "undeclared"
    sender: str = ""
    mcc_mnc: str = ""
    fingerprint: bytes = b""
    """Of the delivery report by which it became known; empty where something else told of it first."""

    @property
    def is_pointer(self) -> bool:
        """Whether it only tells, in place of a sender, under which key a message is kept that a seen report told of."""
        return not self.message_id

    def with_legs(self, legs: Legs, *, last_leg_failed: bool = False) -> "Message":
        """Return the message with other legs and the state that follows from them."""
        state = state_of(legs, last_leg_failed=last_leg_failed)
        if state is State.PENDING and self.state is State.FAILED and attempts_of(legs) == attempts_of(self.legs):
            # That its last leg failed was known once; nothing that follows makes it less so.
            state = State.FAILED
        return self._replace(legs=legs, state=state)


def attempts_of(legs: Legs) -> int:
    """Return the number of the furthest attempt that reports told of."""
    return max(map(attempt_of, legs), default=0)


def key_of(vault: Vault, account: str, message_id: str, recipient: str) -> bytes:
    """Return the key of a message; `recipient` is the normalised address."""
    return vault.digest("message", account, message_id, recipient)


def find(connection: Connection, keys: Iterable[bytes], *, lock: bool = True) -> dict[bytes, Message]:
    """Return the messages of these keys, as far as they are known; on PostgreSQL their rows are locked."""
    return {row.key: _message(row) for row in select_in(connection, messages, "key", keys, lock=lock)}


def note_resend(connection: Connection, key: bytes, attempt: int) -> None:
    """Say that this attempt of a message left."""
    connection.execute(
        update(messages).where(messages.c.key == key, messages.c.resends < attempt).values(resends=attempt)
    )


def save(connection: Connection, changed: Iterable[Message], new: Container[bytes], at: datetime) -> None:
    """Write messages in the order of their keys; `new` are the keys that `find` did not know.

    A row that was not there could not be locked. Where another worker made it meanwhile, the plain insert fails, and
    the whole transaction is repeated with the row found and locked: overwriting it would undo what that worker saw.
    """
    now = to_ms(at)
    made: list[Line] = []
    moved: list[Line] = []
    # All messages of a callback came at the same moment.
    in_ms = cache(to_ms)
    for message in sorted(changed, key=_key):
        (made if message.key in new else moved).append(_line(message, now, in_ms))
    insert_lines(connection, messages, _COLUMNS, made)
    upsert_lines(connection, messages, _COLUMNS, moved, ("key",), _MOVING)


def remove(connection: Connection, keys: Sequence[bytes], at: datetime) -> int:
    """Remove messages; return how many there were. What their first reports are recognised by stays.

    Asked of the very rows that go: one may just have come.
    """
    removed: list[Any] = []
    for part in in_parts(keys, _AT_ONCE):
        gone = delete(messages).where(messages.c.key.in_(part))
        removed += connection.execute(gone.returning(messages.c.account, messages.c.fingerprint)).all()
    ledger.unseen(connection, [(row.account, row.fingerprint) for row in removed if row.fingerprint], at)
    return len(removed)


def _line(message: Message, now_ms: int, in_ms: Callable[[datetime], int]) -> Line:
    # Taken apart at once, since it is done for every report: a named tuple gives its members one by one more slowly.
    key, account, message_id, recipient, channel, first_at, legs, state, resends, purpose, sender, network, mark = (
        message
    )
    return (
        key,
        account,
        message_id[:255],
        recipient,
        channel,
        str(state),
        encode_legs(legs),
        resends,
        purpose,
        sender[:255],
        network[:16],
        in_ms(first_at),
        now_ms,
        mark,
    )


def _message(row: Any) -> Message:
    return Message(
        key=row.key,
        account=row.account,
        message_id=row.message_id,
        recipient=row.recipient,
        channel=row.channel,
        first_at=from_ms(row.first_at),
        legs=decode_legs(row.legs),
        state=State(row.state),
        resends=row.resends,
        purpose=row.purpose,
        sender=row.sender,
        mcc_mnc=row.mcc_mnc,
        fingerprint=row.fingerprint or b"",
    )


def encode_legs(legs: Legs) -> str:
    """Return legs as JSON: name -> [state, milliseconds]."""
    if len(legs) == 1 and "" in legs:
        # Nearly every message: made for each report.
        leg = legs[""]
        return f'{{"":["{leg.state}",{to_ms(leg.at)}]}}'
    return msgspec.json.encode({name: (leg.state, to_ms(leg.at)) for name, leg in legs.items()}).decode()


def decode_legs(text: str) -> Mapping[str, Leg]:
    """Return the legs that `encode_legs` wrote."""
    return {name: Leg(State(state), from_ms(at)) for name, (state, at) in msgspec.json.decode(text).items()}
