"""Which secret the newest callbacks were signed with: the only proof of what Infobip really signs with."""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from cli.public_check import USER_AGENT, signature
from cli.subscribe.ledger import KeptSecret
from config.settings import Settings
from store.database import Database
from store.errors import StoreError
from store.schema import inbox
from store.vault import Vault

# The newest callbacks of all accounts, and how many of one account, none of them large, are looked at.
_NEWEST: Final = 2000
_MOST: Final = 200
_LARGEST: Final = 262_144


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest callback that was signed with a secret, among the last ones."""

    secret: KeptSecret
    at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the newest callbacks tell. `others` were signed with none of these secrets, `unsigned` not at all."""

    seen: tuple[Seen, ...] = ()
    others: int = 0
    unsigned: int = 0

    def of(self, state: str) -> Seen | None:
        """Return the newest one by a secret in this state."""
        found = [one for one in self.seen if one.secret.state == state]
        return max(found, key=lambda one: one.at, default=None)


def gather(
    settings: Settings, database: Database, vault: Vault, account: str, secrets: tuple[KeptSecret, ...]
) -> Evidence:
    """Look at an account's newest callbacks that are still kept; samples of our own do not count."""
    newest = select(inbox.c.id).order_by(inbox.c.id.desc()).limit(_NEWEST).subquery()
    query = (
        select(inbox.c.received_at, inbox.c.headers, inbox.c.body)
        .join(newest, newest.c.id == inbox.c.id)
        .where(inbox.c.account == account, func.length(inbox.c.body) < _LARGEST)
        .order_by(inbox.c.id.desc())
        .limit(_MOST)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
    found: dict[KeptSecret, Seen] = {}
    others = unsigned = 0
    for row in rows:
        try:
            headers = {name.lower(): value for name, value in json.loads(vault.open(row.headers)).items()}
            body = vault.open(row.body)
        except (StoreError, ValueError):
            continue
        if headers.get("user-agent") == USER_AGENT:
            continue
        given = headers.get(settings.hmac_header.lower(), "").strip()
        by = next((one for one in secrets if _same(given, signature(settings, one.secret, body))), None)
        if by is not None:
            before = found.get(by)
            found[by] = Seen(by, before.at if before else row.received_at, (before.count if before else 0) + 1)
        elif given:
            others += 1
        else:
            unsigned += 1
    return Evidence(tuple(found.values()), others, unsigned)


def _same(given: str, right: str) -> bool:
    # Hexadecimal digits come in either case, and base64 with or without its padding.
    return hmac.compare_digest(_form(given), _form(right))


def _form(text: str) -> bytes:
    return text.rstrip("=").casefold().encode("utf-8", "surrogateescape")
