"""One resend after the other from claim to record."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from config.logs import log
from infobip.outbound import CannotResend, TooLate
from infobip.outbound.results import NotSent, Result, Sent, Unknown
from policy import Mode
from policy.leaving import Cancel, Expire, Hold, Leave, SetBack, Verdict, Wait, may_leave
from policy.rules import Rules
from store import aliases, budgets, incidents, messages, people, resending, sends, setting_back
from store.aliases import Original
from store.database import Database
from store.errors import NotMigrated, Unavailable
from store.moments import to_ms
from store.resending import CANCELLED, EXPIRED, Resend
from store.sends import Content, Send
from store.vault import Vault
from workers.actions.post import Road
from workers.actions.resend import outcome, trouble
from workers.actions.resend.application import PATIENCE, ByApplication, Tls
from workers.actions.resend.limiter import Limiter
from workers.actions.resend.looker import NEXT_TURN, TURN, Looker
from workers.actions.resend.naming import id_of
from workers.actions.resend.outlets import BaseUrlRefused, Outlet, Outlets
from workers.actions.resend.request import Plan, build, outlet_of, person_of
from workers.actions.resend.situation import Known, Target, gather, is_held
from workers.actions.resend.waits import Waits

_LOG = log(__name__)
_AT_ONCE: Final = 20
_TURN_LATER: Final = "it waits for its turn"


@dataclass(frozen=True, slots=True)
class _Ready:
    """A resend that has been said to be leaving, and until when that may still begin."""

    plan: Plan
    outlet: Outlet
    until: datetime
    end: float
    """The same by a clock that nobody sets (`time.monotonic`)."""


class Resender:
    """Sends what is due, and looks up what is in doubt, for one thread of a worker."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        rules: Callable[[], Rules],
        outlets: Outlets,
        limiter: Limiter,
        owner: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        waits: Waits | None = None,
        road: Road = Road(patience=PATIENCE),  # noqa: B008 - it cannot be changed
    ) -> None:
        self._database = database
        self._vault = vault
        self._rules = rules
        self._outlets = outlets
        self._limiter = limiter
        self._owner = owner
        self._clock = clock
        self._waits = waits or Waits()
        self._application = ByApplication(
            database, vault, rules, outlets.account, owner, clock, self._keep_back, road, Tls()
        )
        self._looker = Looker(database, vault, self._outlet, limiter, owner, clock, self._waits)

    def run(self, stopping: Callable[[], bool]) -> int:
        """Send what is due and look up what is in doubt until nothing is left or `stopping` says so.

        Returns how many resends were moved. Raises `store.errors.Unavailable`.
        """
        moved = 0
        while self._database.repeat(self._take_back):
            pass
        self._application.take_up(self._outlets.accounts)
        while not stopping():
            due = resending.claim(self._database, self._owner, self._clock(), _AT_ONCE, self._waits.lease)
            doubted = resending.claim_look(self._database, self._owner, self._clock(), _AT_ONCE, self._waits.lease)
            if not due and not doubted:
                return moved
            moved += self._each(due, self.send, stopping) + self._each(doubted, self._looker.look, stopping)
        return moved

    def _take_back(self, connection: Connection) -> int:
        """Take back what dead workers held, and set back what does not leave by itself any more: people see that at
        once, not only as each is due. Returns how many were set back; there may be more."""
        now, mode = self._clock(), self._rules().modes["retry"]
        resending.recover(connection, now)
        return 0 if mode is Mode.ACT else setting_back.every(connection, mode, now)

    def _each(self, claimed: Sequence[Resend], work: Callable[[Resend], None], stopping: Callable[[], bool]) -> int:
        """Work on what was claimed and return on how many; for what no time is left is given back."""
        for number, one in enumerate(claimed):
            if stopping():
                self._give_back(claimed[number:])
                return number
            try:
                work(one)
            except (Unavailable, NotMigrated):
                raise
            except Exception as error:  # what is wrong with one is no reason not to send the others
                _LOG.exception("resend_fault", retry_id=str(one.id))
                self._put_aside(one, error)
        return len(claimed)

    def _put_aside(self, one: Resend, error: Exception) -> None:
        self._write(lambda c: trouble.put_aside(c, one, self._owner, self._clock(), error))

    def _give_back(self, rest: Sequence[Resend]) -> None:
        self._write(lambda c: resending.give_back(c, rest, self._owner, self._clock()))

    def send(self, one: Resend) -> None:
        """Send one claimed resend, if it still may leave. What a kill leaves behind is settled by `recover`."""
        send, content, held = self._stored(one)
        if self._application.takes(one, content):
            self._application.send(one, content)
            return
        outlet = self._outlet(one)
        # Thousands that a pause holds back must not use up the turns of those that may leave.
        is_its_turn = not held and self._takes_turn(one, send, content)
        if not held and not is_its_turn:
            self._write(lambda c: self._put_off(c, one, _TURN_LATER))
            return
        ready = self._database.repeat(lambda c: self._decide(c, one, content, outlet, is_its_turn=is_its_turn))
        if ready is None:
            return
        result = self._post(ready)
        now = self._clock()
        told = outcome.Told(self._owner, now, now + self._waits.first_look)
        self._write(lambda c: self._record(c, one, ready.plan, result, told))
        _LOG.info("resend", retry_id=str(one.id), attempt=one.attempt, result=type(result).__name__.lower())

    def _record(self, connection: Connection, one: Resend, plan: Plan, result: Result, told: outcome.Told) -> None:
        outcome.record(connection, one, result, told)
        if isinstance(result, Sent) and result.message_id not in ("", plan.message_id):
            # Infobip gave it an id of its own, and reports will come under that one.
            self._name(connection, one, plan, result.message_id, told.now)
            resending.rename(connection, one, result.message_id)

    def _takes_turn(self, one: Resend, send: Send | None, content: Content | None) -> bool:
        name, rate = outlet_of(one, send, content)
        return not name or self._limiter.pass_one(one.account, name, rate, TURN)

    def _put_off(self, connection: Connection, one: Resend, why: str) -> None:
        now = self._clock()
        resending.hold(connection, one, self._owner, now, now + NEXT_TURN, why)

    def _post(self, ready: _Ready) -> Result:
        plan = ready.plan
        if self._clock() > ready.until or time.monotonic() > ready.end:
            # Its process stood still. Whoever finds the lease over may ask the logs and see nothing, rightly so far.
            return NotSent("its worker was held up for longer than its lease allows", "Nothing has to be done.")
        try:
            return ready.outlet.client.send(
                plan.endpoint,
                plan.path,
                plan.body,
                message_id=plan.message_id,
                content_type=plan.content_type,
                latest=ready.end,
            )
        except Exception as error:  # a fault of ours after the request may have left proves nothing
            _LOG.exception("resend_failed_unexpectedly", message_id=plan.message_id)
            return Unknown(f"our own code failed: {type(error).__name__}")

    def _decide(
        self,
        connection: Connection,
        one: Resend,
        content: Content | None,
        outlet: Outlet | None,
        *,
        is_its_turn: bool,
    ) -> _Ready | None:
        """Ask everything again with the message locked; either say that it leaves now, or why it does not."""
        budgets.one_at_a_time(connection, one.account)
        now = self._clock()
        account = self._outlets.account(one.account)
        rules = self._rules()
        registered = sends.find(connection, [one.message_key]).get(one.message_key)
        has_credential = self._outlets.may_send(registered, outlet)
        target = Target.of(self._vault, one, registered, content, has_credential=has_credential)
        known = gather(connection, one, rules, account, target, now)
        verdict = may_leave(known.situation)
        if not isinstance(verdict, Leave):
            self._keep_back(connection, one, verdict, now)
            known.gate.count_held(connection, verdict)
            return None
        if not is_its_turn:
            self._put_off(connection, one, _TURN_LATER)
            return None
        assert known.send is not None
        assert content is not None
        assert outlet is not None
        try:
            message_id = id_of(connection, self._vault, one, known.send.message_id, target.person.address)
            plan = build(one, known.send, content, account, message_id, known.situation.not_after, now)
        except TooLate as error:
            self._keep_back(connection, one, Expire(str(error)), now)
            return None
        except CannotResend as error:
            self._keep_back(connection, one, Cancel(str(error)), now)
            return None
        return self._leave(connection, one, known, plan, outlet, now)

    def _leave(
        self, connection: Connection, one: Resend, known: Known, plan: Plan, outlet: Outlet, now: datetime
    ) -> _Ready | None:
        undo = connection.begin_nested() if known.gate.ways else None
        number = self._vault.hash_address(one.account, plan.recipient)
        lease, cost = self._waits.lease, known.cost
        mine = resending.start(
            connection, one, self._owner, now, new_id=plan.message_id, cost=cost, reached=number, lease=lease
        )
        if not mine:
            return None
        if not known.gate.leave(connection, one, now):
            assert undo is not None
            undo.rollback()
            self._put_off(connection, one, "another worker let one through the same pause at this moment")
            return None
        until = now + timedelta(seconds=self._waits.still_sure)
        # The report on the new id may be faster than our own record of the answer.
        self._name(connection, one, plan, plan.message_id, now)
        messages.note_resend(connection, one.message_key, one.attempt)
        # Where no report has told of the person yet, this is how people see whom it went to.
        people.keep(connection, self._vault, {number: (plan.recipient, to_ms(now))})
        return _Ready(plan, outlet, until, time.monotonic() + self._waits.still_sure)

    def _name(self, connection: Connection, one: Resend, plan: Plan, message_id: str, now: datetime) -> None:
        """Let reports on this id count for the original."""
        for recipient in (plan.recipient, *plan.others, ""):  # some reports name no recipient
            key = messages.key_of(self._vault, one.account, message_id, recipient)
            aliases.add(connection, key, one.account, Original(one.message_key, one.attempt), now)

    def _keep_back(self, connection: Connection, one: Resend, verdict: Verdict, now: datetime) -> None:
        match verdict:
            case Hold():
                resending.hold(connection, one, self._owner, now, verdict.until, verdict.why)
                if verdict.for_budget:
                    incidents.note(connection, [outcome.over_budget(one, verdict.why, now)])
            case Wait():
                resending.wait(connection, one, self._owner, now, verdict.why)
                incidents.note(connection, [outcome.waiting(one, verdict.why, now)])
            case SetBack():
                setting_back.claimed(connection, one, self._owner, now, verdict.mode)
            case Cancel():
                self._end(connection, one, CANCELLED, verdict.why, now)
            case Expire():
                self._end(connection, one, EXPIRED, verdict.why, now)
            case Leave():
                raise AssertionError("what may leave is not kept back")

    def _end(self, connection: Connection, one: Resend, state: str, why: str, now: datetime) -> None:
        mine = resending.end(connection, one, self._owner, now, state, why)
        # A later attempt, or whoever has this one by now, still needs what it said.
        if mine and resending.latest_attempt(connection, one.account, one.message_key) < one.attempt:
            sends.erase_of(connection, [one.message_key])

    def _stored(self, one: Resend) -> tuple[Send | None, Content | None, bool]:
        """Return what the register holds of it, and whether a pause seems to hold it back."""
        with self._database.reading() as connection:
            send = sends.find(connection, [one.message_key]).get(one.message_key)
            content = sends.content_of(connection, self._vault, send.content) if send else None
            address = person_of(self._vault, one, send, content).address
            return send, content, is_held(connection, one, send, address, self._rules().limits, self._clock())

    def _outlet(self, one: Resend) -> Outlet | None:
        try:
            return self._outlets.of(one.account)
        except BaseUrlRefused as error:
            _LOG.error("base_url_refused", account=one.account, problem=str(error), next_step="dlr doctor")
            return None

    def _write(self, work: Callable[[Connection], object]) -> None:
        self._database.repeat(work)
