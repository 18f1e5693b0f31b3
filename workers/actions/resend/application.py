"""Resends by the application's own URL: a signed request instead of a send to Infobip.

Everything is asked again before each of them, as before any resend. A lost answer proves nothing, but here it is no
harm to ask once more: the request has the same `webhook-id`, by which the application tells that it has it already.
"""

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Connection

from config.accounts import Account
from config.logs import log
from config.relays import RelayTarget
from policy.leaving import NO_CONTENT, Cancel, Expire, Hold, Leave, Verdict, may_leave
from policy.rules import Rules
from store import aliases, budgets, incidents, messages, outbox, people, resending
from store.aliases import Original
from store.database import Database
from store.outbox import Circuit
from store.resending import APPLICATION, Resend
from store.sends import Content
from store.told import iso
from store.vault import Vault
from workers.actions.addresses import PrivateAddress
from workers.actions.judging import judge
from workers.actions.post import Answer, NoAnswer, Patience, Poster, Road, make_tls
from workers.actions.resend import application_incidents
from workers.actions.resend.naming import id_of
from workers.actions.resend.request import Person
from workers.actions.resend.situation import Known, Target, gather
from workers.actions.results import Outcome, Result, after_failure
from workers.actions.signed import body_of, signed

_LOG = log(__name__)
# Less than half of a resend's lease.
PATIENCE: Final = Patience(connect=3.0, answer=10.0, total=15.0)
_KIND: Final = "resend"
_WANTED: Final = "resend.requested"
# Its own words for: do not send it.
_NO: Final = frozenset({409, 410})
_BACK_OFF: Final = timedelta(seconds=10)
_LONGEST: Final = timedelta(minutes=15)
_UNCONFIGURED: Final = timedelta(minutes=15)
_NEXT_TURN: Final = timedelta(seconds=2)
_LONGEST_ID: Final = 255

KeepBack = Callable[[Connection, Resend, Verdict, datetime], None]


@dataclass(frozen=True, slots=True)
class _Request:
    """One request that has been said to be leaving."""

    target: RelayTarget
    account: Account
    address: str
    original: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ByApplication:
    """Hands claimed resends to applications."""

    database: Database
    vault: Vault
    rules: Callable[[], Rules]
    accounts: Callable[[str], Account]
    owner: str
    clock: Callable[[], datetime]
    keep_back: KeepBack
    road: Road
    tls: Callable[[], ssl.SSLContext]

    def takes(self, one: Resend, content: Content | None) -> bool:
        """Whether this resend leaves by the application's URL."""
        return leaves_by_application(one, content, self.accounts(one.account))

    def take_up(self, accounts: Mapping[str, Account]) -> None:
        """Plan what waited for its content, where an application that can do without has told its URL since."""
        names = [name for name, account in accounts.items() if account.resend_url is not None]
        if names:
            self.database.repeat(lambda c: resending.take_up(c, names, NO_CONTENT, self.clock()))

    def send(self, one: Resend, content: Content | None) -> None:
        """Hand over one claimed resend, if it still may leave."""
        request = self.database.repeat(lambda c: self._decide(c, one, content))
        if request is None:
            return
        result, answer = self._post(one, request)
        self.database.repeat(lambda c: self._record(c, one, request, result, answer))
        _LOG.info("resend_by_application", retry_id=str(one.id), attempt=one.attempt, result=result.outcome.value)

    def _decide(self, connection: Connection, one: Resend, content: Content | None) -> _Request | None:
        budgets.one_at_a_time(connection, one.account)
        now = self.clock()
        account = self.accounts(one.account)
        address = people.address_of(connection, self.vault, one.recipient)
        # The application has content and credential of its own.
        whom = Target(Person(address, hashes=(one.recipient,)), has_content=True, has_credential=True)
        known = gather(connection, one, self.rules(), account, whom, now)
        situation = known.situation
        original = known.message.message_id if known.message else known.send.message_id if known.send else ""
        target = account.resend_url
        verdict = may_leave(situation)
        if isinstance(verdict, Leave):
            verdict = self._hindrance(connection, account, address, original, now)
        end = situation.give_up_at
        if isinstance(verdict, Hold) and verdict.until >= min(end, situation.not_after or end):
            verdict = Expire(f"{verdict.why}, and then it would be too late")
        if not isinstance(verdict, Leave) or target is None:
            self.keep_back(connection, one, verdict, now)
            known.gate.count_held(connection, verdict)
            return None
        proposed = id_of(connection, self.vault, one, original, address)
        undo = connection.begin_nested() if known.gate.ways else None
        cost, person = known.cost, one.recipient
        if not resending.start(
            connection, one, self.owner, now, new_id=proposed, cost=cost, reached=person, via=APPLICATION
        ):
            return None
        if not known.gate.leave(connection, one, now):
            assert undo is not None
            undo.rollback()
            self.keep_back(connection, one, Hold(now + _NEXT_TURN, "another left through the same pause just now"), now)
            return None
        self._name(connection, one, proposed, address, now)
        messages.note_resend(connection, one.message_key, one.attempt)
        body = body_of(_WANTED, now, self._data(one, known, proposed, original, address))
        return _Request(target, account, address, original, body)

    def _hindrance(
        self, connection: Connection, account: Account, address: str, original: str, now: datetime
    ) -> Verdict:
        if not original or not address:
            return Cancel("the message's id or the person's address is not known any more")
        if account.resend_url is None:
            return Hold(now + _UNCONFIGURED, "the account's resend_url, which had it first, is not configured any more")
        circuit = outbox.circuit_of(connection, _KIND, account.resend_url.key)
        if circuit.until > now:
            return Hold(circuit.until, "the application's resend URL does not work")
        return Leave()

    def _data(self, one: Resend, known: Known, proposed: str, original: str, address: str) -> dict[str, Any]:
        situation, message, send = known.situation, known.message, known.send
        channel = one.channel or (message.channel if message else send.channel if send else "")
        return {
            "account": one.account,
            "resendId": str(one.id),
            "messageId": original,
            "newMessageId": proposed,
            "attempt": one.attempt,
            "to": address,
            "channel": channel,
            "sender": (send.sender if send else "") or (message.sender if message else ""),
            "purpose": situation.purpose.value,
            "rule": one.rule,
            "notAfter": iso(situation.not_after) if situation.not_after else None,
            "giveUpAt": iso(one.give_up_at),
        }

    def _post(self, one: Resend, request: _Request) -> tuple[Result, Answer | None]:
        now = self.clock()
        target = request.target
        road = replace(self.road, private=request.account.resend_private)
        try:
            headers = signed(request.account.resend_secret.values(), webhook_id(one), now, request.body)
            poster = Poster(target, road, self.tls() if target.secure else None)
            try:
                answer = poster.post(headers, request.body)
            finally:
                poster.close()
        except PrivateAddress:
            return Result(
                Outcome.FORBIDDEN, "its address is in a private network, and resend_private is not true"
            ), None
        except NoAnswer as error:
            return Result(Outcome.DOWN, str(error)), None
        except Exception as error:  # a fault of ours after the request may have left proves nothing
            _LOG.exception("resend_failed_unexpectedly", retry_id=str(one.id))
            return Result(Outcome.FAULT, type(error).__name__), None
        return judge(answer, now), answer

    def _record(
        self, connection: Connection, one: Resend, request: _Request, result: Result, answer: Answer | None
    ) -> None:
        now = self.clock()
        self._note_circuit(connection, request.target, result, now)
        if result.outcome is Outcome.DONE and answer is not None:
            named = named_id(answer.body)
            if named and named != request.original:
                self._name(connection, one, named, request.address, now)
                resending.rename(connection, one, named)
            resending.accepted(connection, one, now, "the application has it")
            return
        if answer is not None and answer.status in _NO:
            note = f"the application does not send it again: it answered {answer.status}"
            resending.refused(connection, one, self.owner, now, note)
            return
        incidents.note(connection, [application_incidents.trouble(one, request.target, result, now)])
        wait = min(_BACK_OFF * 2 ** min(one.tries, 10), _LONGEST) * (1 if result.of_target else 4)
        until, note = now + max(wait, result.wait or timedelta()), f"the application's resend URL: {result.reason}"
        if result.outcome is Outcome.FORBIDDEN:
            resending.did_not_leave(connection, one, self.owner, now, until, note)
        else:
            resending.repeat(connection, one, self.owner, now, until, note)

    def _note_circuit(self, connection: Connection, target: RelayTarget, result: Result, now: datetime) -> None:
        before = outbox.circuit_of(connection, _KIND, target.key)
        if result.of_target:
            outbox.note_circuit(connection, _KIND, target.key, after_failure(before, result, now, _steady))
        elif before.failures and result.outcome is not Outcome.FAULT:
            outbox.note_circuit(connection, _KIND, target.key, Circuit())

    def _name(self, connection: Connection, one: Resend, message_id: str, address: str, now: datetime) -> None:
        """Let reports on this id count for the original: one may be faster than our own record of the answer."""
        for recipient in (address, ""):  # some reports name no recipient
            key = messages.key_of(self.vault, one.account, message_id, recipient)
            aliases.add(connection, key, one.account, Original(one.message_key, one.attempt), now)


class Tls:
    """How certificates are judged, made when it is needed first."""

    def __call__(self) -> ssl.SSLContext:
        """Return it."""
        return self._made

    @cached_property
    def _made(self) -> ssl.SSLContext:
        return make_tls()


def leaves_by_application(one: Resend, content: Content | None, account: Account) -> bool:
    """Whether a resend leaves by its account's own URL. What has left stays on the way by which it did."""
    if one.posts:
        return one.via == APPLICATION
    return account.resend_url is not None and (content is None or account.resend_always)


def webhook_id(one: Resend) -> str:
    """Return what the application tells repetitions by: the same for one attempt, however often it is asked for."""
    return f"resend_{one.id}"


def named_id(body: bytes) -> str:
    """Return the message id that an answer names, or nothing."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    name = found.get("messageId") if isinstance(found, dict) else None
    return name if isinstance(name, str) and 0 < len(name) <= _LONGEST_ID and name.isprintable() else ""


def _steady() -> float:
    return 0.5
