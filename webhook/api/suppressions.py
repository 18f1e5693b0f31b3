"""`POST /api/v1/suppressions/list`, `/add` and `/lift`: addresses travel in bodies, never in URLs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flask import Response, g
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from config.logs import log
from store import entering, lifting, people
from store.api_keys import SUPPRESSIONS_READ, SUPPRESSIONS_WRITE, ApiKey
from store.database import Database
from store.entering import Wanted
from store.errors import StoreError
from store.lifting import NotLifted
from store.schema import suppressions
from store.suppressions import STANDING
from store.vault import Vault
from webhook.api.door import Door
from webhook.api.entry import Fault, Faults
from webhook.api.errors import NotAnswered
from webhook.api.suppression_schema import AddSchema, LiftSchema, ListSchema, entries_of, read, told
from webhook.errors import JSON, NotKept

_log = log(__name__)
_AT_ONCE: Final = 500
_SHOWN: Final = ("account", "channel", "sender", "campaign", "purpose", "cause", "rule", "origin", "state")
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ListView:
    """Entries of the key's account, the oldest first, a page at a time."""

    door: Door
    database: Database
    vault: Vault

    def __call__(self) -> Response:
        """Answer with one page; addresses are masked unless the request asks for them."""
        key = self.door.admit(SUPPRESSIONS_READ)
        try:
            wanted = read(ListSchema(), self.door.body())
        except Faults as found:
            return Response(json.dumps(told(found)), 422, mimetype=JSON)
        try:
            with self.database.reading() as connection:
                rows = connection.execute(_query(key.account, wanted, self.vault)).mappings().all()
                known = people.known(connection, (row["address"] for row in rows))
        except (StoreError, SQLAlchemyError) as error:
            raise NotAnswered("the suppression list cannot be read at the moment") from error
        entries = [_entry(row, known.get(row["address"]), self.vault, reveal=wanted["reveal"]) for row in rows]
        following = str(rows[-1]["id"]) if len(rows) == wanted["limit"] else None
        return Response(json.dumps({"entries": entries, "next": following}), 200, mimetype=JSON)


def _query(account: str, wanted: dict[str, Any], vault: Vault) -> Any:
    states = (wanted["state"],) if wanted["state"] else STANDING
    query = select(suppressions).where(
        suppressions.c.account == account, suppressions.c.id > wanted["after"], suppressions.c.state.in_(states)
    )
    for name in ("channel", "cause"):
        if wanted[name]:
            query = query.where(suppressions.c[name] == wanted[name])
    if wanted["to"]:
        query = query.where(suppressions.c.address == vault.hash_address(account, wanted["to"]))
    return query.order_by(suppressions.c.id).limit(wanted["limit"])


def _entry(row: Any, known: Any, vault: Vault, *, reveal: bool) -> Result:
    found: Result = {"id": str(row["id"]), "to": _address(known, vault, reveal=reveal)}
    found |= {name: row[name] for name in _SHOWN}
    moments = {name: row[name] and row[name].isoformat(timespec="milliseconds") for name in ("since", "until")}
    return found | moments


def _address(known: Any, vault: Vault, *, reveal: bool) -> str | None:
    if known is None:
        return None  # forgotten at the person's request
    if reveal:
        return vault.open(known["sealed"]).decode("utf-8", "replace")
    return f"…@{known['domain']}" if known["domain"] else f"…{known['tail']}"


@dataclass(frozen=True, slots=True)
class AddView:
    """Make entries."""

    door: Door
    database: Database
    vault: Vault

    def __call__(self) -> Response:
        """Answer for each entry what became of it, in order; good ones are kept whatever the others are."""
        key = self.door.admit(SUPPRESSIONS_WRITE)
        schema = AddSchema()
        return _each(self.door, lambda raw: read(schema, raw), lambda part: self._add(key, part))

    def _add(self, key: ApiKey, part: Sequence[dict[str, Any]]) -> list[Result]:
        wanted = [Wanted(account=key.account, address=one.pop("to"), **one) for one in part]
        now = datetime.now(UTC)
        results = self.database.repeat(
            lambda connection: entering.enter(connection, self.vault, wanted, now, _who(key), "api")
        )
        return [{"result": result.replace(" ", "_")} for result in results]


@dataclass(frozen=True, slots=True)
class LiftView:
    """Lift entries on the evidence of an opt-in; those that only an operator may lift are refused."""

    door: Door
    database: Database
    vault: Vault

    def __call__(self) -> Response:
        """Answer for each entry which ids were lifted, and which not and why."""
        key = self.door.admit(SUPPRESSIONS_WRITE)
        schema = LiftSchema()
        return _each(self.door, lambda raw: read(schema, raw), lambda part: self._lift_all(key, part))

    def _lift_all(self, key: ApiKey, part: Sequence[dict[str, Any]]) -> list[Result]:
        return self.database.repeat(lambda connection: [self._lift(connection, key, one) for one in part])

    def _lift(self, connection: Connection, key: ApiKey, one: dict[str, Any]) -> Result:
        rows = self._meant(connection, key.account, one)
        if not rows:
            why = "Nothing of it stands in the list. An entry for every channel is lifted by id, or without `channel`."
            return told(Faults([Fault("id" if one["id"] else "to", why)]))
        now = datetime.now(UTC)
        lifted, refused = [], []
        for row in rows:
            try:
                at = one["opted_in_at"] or now
                if lifting.by_application(connection, row, now, _who(key), evidence=one["evidence"], at=at):
                    lifted.append(str(row.id))
                else:
                    refused.append(_refusal(row.id, "the opt-in is older than the opt-out", "Nothing is to be done."))
            except NotLifted as problem:
                refused.append(_refusal(row.id, str(problem), problem.next_step))
        return {"lifted": lifted, "notLifted": refused}

    def _meant(self, connection: Connection, account: str, one: dict[str, Any]) -> Sequence[Any]:
        if one["id"]:
            return lifting.standing_by_id(connection, account, one["id"])
        rows = lifting.standing_of(connection, account, [self.vault.hash_address(account, one["to"])])
        bounds = ("channel", "sender")
        return [row for row in rows if all(one[name] in ("", getattr(row, name)) for name in bounds)]


def _refusal(number: int, message: str, fix: str) -> Result:
    return {"id": str(number), "message": message, "fix": fix}


def _who(key: ApiKey) -> str:
    return f"key {key.name}"


def _each(
    door: Door, check: Callable[[Any], dict[str, Any]], do: Callable[[Sequence[dict[str, Any]]], list[Result]]
) -> Response:
    """Check every entry, do the good ones in portions, and answer for all in order. 422 where none was good."""
    results: list[Result] = []
    good: list[tuple[int, dict[str, Any]]] = []
    for place, raw in enumerate(entries_of(door.body())):
        results.append({})
        try:
            good.append((place, check(raw)))
        except Faults as found:
            results[place] = told(found)
    g.line |= {"entries": len(good), "refused": len(results) - len(good)}
    try:
        for start in range(0, len(good), _AT_ONCE):
            part = good[start : start + _AT_ONCE]
            for (place, _), result in zip(part, do([values for _, values in part]), strict=True):
                results[place] = result
    except (StoreError, SQLAlchemyError) as error:
        _log.error("the suppression list could not be changed", reason=type(error).__name__)
        raise NotKept("the database cannot take it at the moment; send all of it again") from error
    done = any("errors" not in result for result in results)
    return Response(json.dumps({"results": results}), 200 if done else 422, mimetype=JSON)
