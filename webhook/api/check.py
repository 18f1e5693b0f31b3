"""`POST /api/v1/suppressions/check`: may these messages leave?

The usual request is decoded by a typed decoder; what that refuses, however little is wrong with it, is read with the
schema, which names each fault. Both come to the same values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from flask import Response, g
from sqlalchemy.exc import SQLAlchemyError

from codes import CAUSES
from config.logs import log
from reports import normalise
from store.api_keys import SUPPRESSIONS_READ
from store.blocks import Asked, Block, look_up
from store.database import Database
from store.errors import StoreError
from store.suppressions import HELD, PROPOSED
from store.vault import Vault
from webhook.api.door import Door, tree
from webhook.api.entry import Faults
from webhook.api.errors import NotAnswered
from webhook.api.suppression_schema import LONGEST, MOST, CheckSchema, entries_of, read, told
from webhook.errors import JSON
from webhook.opinions import PURPOSES, Opinion, Opinions
from webhook.suppress_words import SENT_ON

_log = log(__name__)
_SCHEMA: Final = CheckSchema()
_Text = Annotated[str, msgspec.Meta(max_length=LONGEST)]
# Made from the same words as the schema, so that they cannot differ.
_Quick: Final[Any] = msgspec.defstruct(
    "Quick",
    [
        ("to", Annotated[str, msgspec.Meta(max_length=LONGEST, pattern=r"\S")]),
        ("channel", Literal[SENT_ON]),
        ("sender", _Text, ""),
        ("campaign", _Text, ""),
        ("purpose", Literal[PURPOSES], ""),
    ],
    forbid_unknown_fields=True,
    gc=False,
)
_QuickBody: Final[Any] = msgspec.defstruct("QuickBody", [("entries", list[_Quick])], forbid_unknown_fields=True)
_DECODER: Final = msgspec.json.Decoder(_QuickBody)
_PASSES: Final = {"blocked": False, "held": False, "flagged": False}
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class CheckView:
    """The view, with its collaborators."""

    door: Door
    database: Database
    vault: Vault
    opinions: Opinions

    def __call__(self) -> Response:
        """Answer for each entry, in order. It is the pass-through's own check, so they never differ."""
        key = self.door.admit(SUPPRESSIONS_READ)
        asked, faults = _read(self.door.raw(), self.vault, key.account, self.opinions.current())
        try:
            with self.database.reading() as connection:
                found = look_up(connection, key.account, asked, datetime.now(UTC))
        except (StoreError, SQLAlchemyError) as error:
            _log.error("the suppression list cannot be asked", reason=type(error).__name__)
            raise NotAnswered("the suppression list cannot be asked at the moment") from error
        results = [answer_of(blocks) if blocks else _PASSES for blocks in found]
        for place, fault in faults:
            results.insert(place, fault)
        g.line |= {"checked": len(asked), "refused": len(faults)}
        return Response(_ENCODER.encode({"results": results}), 200 if asked else 422, mimetype=JSON)


def _read(
    raw: bytes, vault: Vault, account: str, opinion: Opinion
) -> tuple[list[Asked], list[tuple[int, dict[str, Any]]]]:
    """Return what is asked, and (place, what is wrong) of entries that cannot be read. Raises `ApiError`."""
    hash_address, counts_as = vault.hash_address, opinion.counts_as
    try:
        entries = _DECODER.decode(raw).entries
    except (msgspec.MsgspecError, ValueError):
        return _slowly(raw, vault, account, opinion)
    if not 0 < len(entries) <= MOST:
        return _slowly(raw, vault, account, opinion)
    asked = []
    for one in entries:
        sender, campaign = one.sender.strip(), one.campaign.strip()
        purpose = counts_as(account, one.purpose, campaign, sender, "")
        asked.append(Asked(hash_address(account, normalise(one.to)), one.channel, sender, campaign, purpose))
    return asked, []


def _slowly(
    raw: bytes, vault: Vault, account: str, opinion: Opinion
) -> tuple[list[Asked], list[tuple[int, dict[str, Any]]]]:
    asked: list[Asked] = []
    faults: list[tuple[int, dict[str, Any]]] = []
    for place, one in enumerate(entries_of(tree(raw))):
        try:
            values = read(_SCHEMA, one)
        except Faults as found:
            faults.append((place, {"blocked": None, **told(found)}))
            continue
        purpose = opinion.counts_as(account, values["purpose"], values["campaign"], values["sender"], "")
        address = vault.hash_address(account, normalise(values["to"]))
        asked.append(Asked(address, values["channel"], values["sender"], values["campaign"], purpose))
    return asked, faults


def answer_of(blocks: Sequence[Block]) -> dict[str, Any]:
    """Return the answer for a message that meets these entries, the first of which is the one to act on."""
    first = blocks[0]
    states = {block.state for block in blocks}
    return {
        "blocked": first.stops,
        "held": HELD in states,
        "flagged": not first.stops and any(block.flags for block in blocks),
        "proposed": PROPOSED in states,
        "id": str(first.id),
        "cause": first.cause,
        "why": CAUSES[first.cause].summary if first.cause in CAUSES else "somebody entered it",
        "rule": first.rule,
        "since": first.since.isoformat(timespec="milliseconds"),
        "until": first.until and first.until.isoformat(timespec="milliseconds"),
    }
