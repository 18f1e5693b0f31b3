"""`POST /api/v1/sends`: applications that send by themselves tell what they sent, before or after."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from flask import Response, g
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from config.logs import log
from store import sends, silences
from store.api_keys import SENDS_WRITE
from store.blocks import Asked, blocking
from store.database import Database
from store.errors import StoreError
from store.messages import key_of
from store.sends import LONGEST_CONTENT, TOLD, Content, Send
from store.silences import Watch
from store.vault import Vault
from webhook.api.door import Door
from webhook.api.entry import Entry, Faults, read_entry
from webhook.api.errors import NothingGood, TooMany
from webhook.errors import JSON, NotKept
from webhook.opinions import Opinion, Opinions
from webhook.watching import watch_of

_log = log(__name__)
MOST: Final = 1_000
# What an entry does not tell is left as another one, or the pass-through, told it.
_TOLD_ONCE: Final = ("sender", "campaign", "application", "entity", "not_after", "failover", "credential", "report_url")
_OF_THE_CONTENT: Final = ("endpoint", "path", "repeats", "content", "obstacle")


@dataclass(frozen=True, slots=True)
class SendsView:
    """The view, with its collaborators."""

    door: Door
    database: Database
    vault: Vault
    opinions: Opinions

    def __call__(self) -> Response:
        """Answer one request: good entries are kept, whatever the others are."""
        key = self.door.admit(SENDS_WRITE)
        raw = _entries(self.door.body())
        good, refused = _read(raw)
        g.line |= {"sends": len(good), "refused": len(raw) - len(good)}
        if raw and not good:
            raise NothingGood("no entry can be registered", refused)
        rows = self._keep(key.account, good)
        content = {
            "registered": len(good),
            "refused": refused,
            "withoutContent": [
                {"index": index, "reason": row.obstacle}
                for (index, _), row in zip(good, rows, strict=True)
                if row.obstacle
            ],
        }
        return Response(json.dumps(content), 200, mimetype=JSON)

    def _keep(self, account: str, good: Sequence[tuple[int, Entry]]) -> list[Send]:
        entries, opinion, now = [entry for _, entry in good], self.opinions.current(), datetime.now(UTC)
        rows = [(_row(self.vault, account, entry, opinion, now), entry) for entry in entries]
        try:
            return self.database.repeat(lambda connection: self._write(connection, account, rows, opinion, now))
        except (StoreError, SQLAlchemyError) as error:
            reason = str(error) if isinstance(error, StoreError) else type(error).__name__
            _log.error("sends could not be registered and were answered with 503", reason=reason)
            raise NotKept("the database cannot take it at the moment; nothing was kept") from error

    def _write(
        self, connection: Connection, account: str, rows: list[tuple[Send, Entry]], opinion: Opinion, now: datetime
    ) -> list[Send]:
        known = sends.find(connection, [row.key for row, _ in rows])
        asked = [Asked(row.recipient, row.channel, row.sender, row.campaign, row.purpose) for row, _ in rows]
        blocks = blocking(connection, account, asked, now)
        kept: list[tuple[Content, datetime]] = []
        places: dict[int, int] = {}
        for place, (row, entry) in enumerate(rows):
            until = _keep_until(entry, row.sent_at, opinion, now)
            if entry.content is not None and until > now:
                places[place] = len(kept)
                kept.append((entry.content, until))
        ids = sends.keep_contents(connection, self.vault, account, kept)
        written = [
            _laid_over(
                known.get(row.key),
                replace(
                    row,
                    content=ids[places[place]] if place in places else 0,
                    flagged=block is not None and block.flags,
                ),
                entry,
            )
            for place, ((row, entry), block) in enumerate(zip(rows, blocks, strict=True))
        ]
        sends.register(connection, written, now)
        silences.watch(connection, _watched(written, [entry for _, entry in rows], opinion, now))
        return written


def _entries(body: dict[str, Any]) -> list[Any]:
    found = body["sends"] if isinstance(body.get("sends"), list) and len(body) == 1 else [body]
    if len(found) > MOST:
        raise TooMany(f"there are {len(found)} entries, and one request may have {MOST}")
    return found


def _read(raw: Sequence[Any]) -> tuple[list[tuple[int, Entry]], list[dict[str, Any]]]:
    good, refused = [], []
    for index, one in enumerate(raw):
        try:
            good.append((index, read_entry(one)))
        except Faults as found:
            refused += [
                {"index": index, "field": fault.field, "message": str(fault), "fix": fault.fix}
                for fault in found.faults
            ]
    return good, refused


def _row(vault: Vault, account: str, entry: Entry, opinion: Opinion, now: datetime) -> Send:
    values, one = entry.values, entry.one
    sent_at = values["sent_at"] or now
    campaign, sender, application = (entry.told(name) for name in ("campaign", "sender", "application"))
    return Send(
        key=key_of(vault, account, entry.message_id, entry.recipient),
        account=account,
        message_id=entry.message_id,
        recipient=vault.hash_address(account, entry.recipient),
        channel=values["channel"],
        sent_at=sent_at,
        sender=sender,
        purpose=opinion.purpose_of(values["purpose"], campaign, sender, application),
        campaign=campaign,
        application=application,
        entity=entry.told("entity"),
        endpoint=entry.sends.endpoint.name if entry.sends is not None else "",
        path=entry.path,
        state=TOLD,
        origin="api",
        not_after=entry.end(sent_at),
        failover=tuple(values["failover"]) or (one.failover if one is not None else ()),
        repeats=one is not None and one.repeats,
        obstacle=entry.obstacle,
    )


def _watched(written: Sequence[Send], entries: Sequence[Entry], opinion: Opinion, now: datetime) -> list[Watch]:
    found = (
        watch_of(
            row,
            opinion,
            fallback=entry.fallback,
            address=entry.recipient,
            leaves_at=entry.leaves_at(row.sent_at),
            now=now,
        )
        for row, entry in zip(written, entries, strict=True)
    )
    return list({one.key: one for one in found if one is not None}.values())


def _keep_until(entry: Entry, sent_at: datetime, opinion: Opinion, now: datetime) -> datetime:
    ends = [entry.leaves_at(sent_at) + opinion.longest, now + LONGEST_CONTENT]
    if (end := entry.end(sent_at)) is not None:
        ends.append(end)
    return min(ends)


def _laid_over(before: Send | None, told: Send, entry: Entry) -> Send:
    """Return what is registered of a message that somebody told of before."""
    if before is None:
        return told
    kept = _TOLD_ONCE if told.endpoint else (*_TOLD_ONCE, *_OF_THE_CONTENT)
    left: Mapping[str, Any] = {name: getattr(before, name) for name in kept if not getattr(told, name)}
    if told.purpose == "undeclared":
        left = {**left, "purpose": before.purpose}
    if before.origin != "api":  # what passed through us is known better than told
        left = {**left, "state": before.state, "origin": before.origin}
    if before.origin != "api" or entry.values["sent_at"] is None:
        left = {**left, "sent_at": before.sent_at}
    return replace(told, **left)
