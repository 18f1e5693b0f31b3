"""The register of sends: what applications sent, whereby, and with what content."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from store import retries
from store.ids import new_ids
from store.moments import from_ms
from store.parts import in_parts
from store.schema import aliases, contents, sends
from store.vault import Vault
from store.writes import insert_rows, select_in, upsert

INTENT: Final = "intent"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"
NOT_SENT: Final = "not_sent"
TOLD: Final = "told"

# No content outlives the last attempt that any policy can ask for (policy's ceiling).
LONGEST_CONTENT: Final = timedelta(days=8)
_CHANGED: Final = (
    "message_id",
    "channel",
    "sender",
    "purpose",
    "campaign",
    "application",
    "entity",
    "endpoint",
    "path",
    "state",
    "origin",
    "not_after",
    "failover",
    "repeats",
    "obstacle",
    "credential",
    "report_url",
    "flagged",
    "content",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One message to one recipient, as the application sent it. Empty texts and None mean: not told."""

    key: bytes
    """The message's key (`store.messages.key_of`), or one of its own until the message id is known."""
    account: str
    message_id: str
    recipient: bytes
    """Hash of the address."""
    channel: str
    sent_at: datetime
    """By our clock; where the application told us afterwards, when it says that it left."""
    sender: str = ""
    purpose: str = "undeclared"
    campaign: str = ""
    application: str = ""
    entity: str = ""
    endpoint: str = ""
    """Name in `infobip.outbound.endpoints`; empty: we cannot send it again ourselves."""
    path: str = ""
    state: str = TOLD
    origin: str = "api"
    not_after: datetime | None = None
    failover: tuple[str, ...] = ()
    """Channels to which Infobip itself goes on when one fails."""
    repeats: bool = False
    """Whether Infobip itself repeats it when it fails."""
    obstacle: str = ""
    """Why it can never be sent again, or empty."""
    credential: bytes = b""
    """Mark of the credential that it left with; empty where nobody knows."""
    report_url: bytes = b""
    """Sealed: the application's own report URL, where ours stands in its place."""
    flagged: bool = False
    """Whether it passed although a marketing-only suppression stands."""
    content: int = 0
    """Id of what it said; 0 where that is not kept."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a send said: the request for this one person, and what the application wants sent instead, if anything."""

    request: bytes
    fallback: Mapping[str, Any] | None = None
    """`{"channel", "endpoint", "body"}`, as `infobip.outbound.convert` takes it."""
    reports_to: str = ""
    """Our own URL, where the send got it: a resend's reports come in there, too. `{channel}` stands for the channel."""


def register(connection: Connection, rows: Sequence[Send], at: datetime) -> None:
    """Write sends; one that is registered again is told anew. Resends that waited for content are planned.

    Contents that are replaced are erased.
    """
    ordered = sorted({row.key: row for row in rows}.values(), key=lambda row: row.key)
    before = find(connection, [row.key for row in ordered])
    upsert(connection, sends, [_row(row) for row in ordered], ("key",), _CHANGED)
    kept = {row.content for row in ordered}
    erase(connection, {row.content for row in before.values()} - kept)
    with_content = [row for row in ordered if row.content]
    retries.content_came(connection, {row.account for row in with_content}, [row.key for row in with_content], at)


def settle(connection: Connection, key: bytes, to: Send, at: datetime) -> None:
    """Replace the send that was registered under `key`, an intent, by what became of it."""
    if key != to.key:
        connection.execute(delete(sends).where(sends.c.key == key))
    register(connection, [to], at)


def intend(connection: Connection, rows: Sequence[Send]) -> None:
    """Write intents whose keys are new. Where another writer was first with one, the whole transaction is repeated."""
    insert_rows(connection, sends, _in_order(rows))


def settle_all(connection: Connection, settled: Sequence[tuple[Send, Send]], at: datetime) -> None:
    """Replace intents, each given as (intent, what became of it); contents that nobody needs any more are erased."""
    stay = [to for before, to in settled if before.key == to.key]
    # Only what the answer tells: somebody may have registered more of the message meanwhile.
    upsert(connection, sends, _in_order(to for to in stay if to.content), ("key",), ("state", "message_id"))
    upsert(
        connection, sends, _in_order(to for to in stay if not to.content), ("key",), ("state", "message_id", "content")
    )
    moved = [(before, to) for before, to in settled if before.key != to.key]
    if moved:
        connection.execute(delete(sends).where(sends.c.key.in_(sorted(before.key for before, _ in moved))))
        register(connection, [to for _, to in moved], at)
    erase(connection, {before.content for before, to in settled if not to.content})


def _in_order(rows: Iterable[Send]) -> list[dict[str, Any]]:
    return [_row(row) for row in sorted(rows, key=lambda row: row.key)]


def drop(connection: Connection, rows: Sequence[Send]) -> None:
    """Take intents back, with their contents: what they were about is registered already."""
    if rows:
        connection.execute(delete(sends).where(sends.c.key.in_(sorted(row.key for row in rows))))
        erase(connection, {row.content for row in rows})


def find(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, Send]:
    """Return the sends of these keys, as far as they are registered."""
    return {row.key: _send(row) for row in select_in(connection, sends, "key", keys)}


def keep_contents(
    connection: Connection, vault: Vault, account: str, kept: Sequence[tuple[Content, datetime]]
) -> range:
    """Seal and write contents, each with the moment after which nobody can need it; return their ids in order."""
    ids = new_ids(len(kept))
    rows = [
        {"id": number, "account": account, "sealed": vault.seal(_text(content)), "keep_until": until}
        for number, (content, until) in zip(ids, kept, strict=True)
    ]
    insert_rows(connection, contents, rows)
    return ids


def content_of(connection: Connection, vault: Vault, number: int) -> Content | None:
    """Return a content opened, or nothing where it is erased. Raises `store.errors.KeyMismatch`."""
    sealed = connection.scalar(select(contents.c.sealed).where(contents.c.id == number)) if number else None
    if sealed is None:
        return None
    found = json.loads(vault.open(sealed))
    return Content(found["request"].encode("utf-8", "surrogateescape"), found["fallback"], found.get("reports_to", ""))


def erase(connection: Connection, numbers: Collection[int]) -> None:
    """Erase contents."""
    for part in in_parts(sorted(number for number in numbers if number)):
        connection.execute(delete(contents).where(contents.c.id.in_(part)))


def erase_of(connection: Connection, keys: Collection[bytes]) -> None:
    """Erase what the sends of these keys said: they arrived, or are given up."""
    if keys:
        numbers = select(sends.c.content).where(sends.c.key.in_(sorted(keys)), sends.c.content != 0)
        erase(connection, set(connection.scalars(numbers)))


def erase_for(connection: Connection, recipients: Iterable[bytes]) -> None:
    """Erase all that was sent to people who want no more; the hash of an address is of one account."""
    theirs = sends.c.recipient.in_(sorted(recipients)) & (sends.c.content != 0)
    erase(connection, set(connection.scalars(select(sends.c.content).where(theirs))))


def in_use(connection: Connection) -> bool:
    """Whether anything was ever registered, or sent again by an application that registers nothing."""
    columns = (sends.c.account, aliases.c.made_at)
    return any(connection.execute(select(column).limit(1)).first() is not None for column in columns)


def left_since(connection: Connection, account: str, recipients: Collection[bytes], since: datetime) -> int:
    """Return how many messages the application sent since then to one person, by any of these addresses."""
    sent = sends.c.state.in_((ACCEPTED, UNKNOWN, TOLD, INTENT))
    query = select(func.count()).where(sends.c.recipient.in_(sorted(recipients)), sends.c.sent_at >= since, sent)
    return int(connection.scalar(query.where(sends.c.account == account)) or 0)


def count_since(connection: Connection, account: str, since: datetime) -> int:
    """Return how many messages the account registered since then."""
    return int(connection.scalar(select(func.count()).where(sends.c.account == account, sends.c.sent_at >= since)) or 0)


def later_than(connection: Connection, account: str, endpoint: str, moment: datetime) -> str:
    """Return the id of a message of this account and endpoint that Infobip took after `moment`, or nothing.

    The newest that is a minute older than the newest of all would do as well; the oldest is surest to be in the logs.
    """
    mine = (sends.c.account == account) & (sends.c.endpoint == endpoint) & (sends.c.state == ACCEPTED)
    # Logs take a comma for the end of an id, and cannot be asked for one that has it.
    fit = (sends.c.message_id != "") & sends.c.message_id.not_like("%,%")
    later = select(sends.c.message_id).where(mine, sends.c.sent_at > moment, fit)
    return connection.scalar(later.order_by(sends.c.sent_at).limit(1)) or ""


def lost_intents(connection: Connection, before: datetime) -> int:
    """Mark as unknown what was about to be posted by a process that has died since."""
    old = update(sends).where(sends.c.state == INTENT, sends.c.sent_at < before)
    return connection.execute(old.values(state=UNKNOWN)).rowcount


def _text(content: Content) -> bytes:
    request = content.request.decode("utf-8", "surrogateescape")
    return json.dumps({"request": request, "fallback": content.fallback, "reports_to": content.reports_to}).encode()


def _row(send: Send) -> dict[str, Any]:
    return {
        "key": send.key,
        "account": send.account,
        "message_id": send.message_id[:255],
        "recipient": send.recipient,
        "channel": send.channel,
        "sender": send.sender[:255],
        "purpose": send.purpose,
        "campaign": send.campaign[:255],
        "application": send.application[:255],
        "entity": send.entity[:255],
        "endpoint": send.endpoint,
        "path": send.path,
        "state": send.state,
        "origin": send.origin,
        "sent_at": send.sent_at,
        "not_after": send.not_after,
        "failover": json.dumps(send.failover),
        "repeats": send.repeats,
        "obstacle": send.obstacle,
        "credential": send.credential,
        "report_url": send.report_url,
        "flagged": send.flagged,
        "content": send.content,
    }


def _send(row: Any) -> Send:
    found = row._asdict()
    found["sent_at"] = from_ms(row.sent_at)
    found["not_after"] = None if row.not_after is None else from_ms(row.not_after)
    found["failover"] = tuple(json.loads(row.failover))
    found["repeats"], found["flagged"] = bool(row.repeats), bool(row.flagged)
    return Send(**found)
