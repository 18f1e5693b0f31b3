"""`POST /api/v1/incidents/ack` and `/resolve`: on-call tools say who works on what, and what is over."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flask import Response, g
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from config.logs import log
from config.mask import mask_text
from store import by_hand
from store.api_keys import INCIDENTS_WRITE
from store.database import Database
from store.errors import StoreError
from webhook.api.door import Door
from webhook.api.errors import BadIds, TooMany
from webhook.errors import JSON, NotKept

_log = log(__name__)
MOST: Final = 100
_Change = Callable[[Connection, int, str, datetime, str], bool]
_CHANGES: Final[Mapping[str, _Change]] = {"ack": by_hand.acknowledge, "resolve": by_hand.resolve}
_DONE: Final = {"ack": "acknowledged", "resolve": "resolved"}


@dataclass(frozen=True, slots=True)
class IncidentsView:
    """One of the two views. Only incidents of the key's own account are touched."""

    door: Door
    database: Database
    verb: str

    def __call__(self) -> Response:
        """Answer one request: which incidents changed, and which were in no state for it or are not there."""
        key = self.door.admit(INCIDENTS_WRITE)
        body = self.door.body()
        numbers, who = _ids(body), _who(body, key.name)
        g.line |= {"incidents": len(numbers)}
        now = datetime.now(UTC)

        def change(connection: Connection) -> list[int]:
            return [number for number in numbers if _CHANGES[self.verb](connection, number, who, now, key.account)]

        try:
            changed = self.database.repeat(change)
        except (StoreError, SQLAlchemyError) as error:
            reason = str(error) if isinstance(error, StoreError) else type(error).__name__
            _log.error("incidents could not be changed and were answered with 503", reason=reason)
            raise NotKept("the database cannot take it at the moment; nothing was changed") from error
        left = [str(number) for number in numbers if number not in changed]
        content = {_DONE[self.verb]: [str(number) for number in changed], "unchanged": left}
        return Response(json.dumps(content), 200, mimetype=JSON)


def _ids(body: Mapping[str, Any]) -> list[int]:
    given = body.get("ids")
    if not isinstance(given, list) or not given:
        raise BadIds("there is no list of ids")
    if len(given) > MOST:
        raise TooMany(f"there are {len(given)} ids, and one request may have {MOST}")
    texts = [str(one) for one in given]
    if not all(text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < 2**63 for text in texts):
        raise BadIds("some of the ids are none")
    return list(dict.fromkeys(map(int, texts)))


def _who(body: Mapping[str, Any], name: str) -> str:
    who = body.get("who")
    # As on the command line: names go out with alerts, where nobody's address is shown in full.
    return f"{' '.join(mask_text(who).split())} ({name})" if isinstance(who, str) and who.strip() else name
