"""One resend after the other from claim to record."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from config.logs import log
from infobip.outbound import CannotResend, TooLate, find
from infobip.outbound import logs as infobip_logs
from infobip.outbound.results import Result, Unknown
from policy.leaving import Cancel, Expire, Hold, Leave, Verdict, Wait, may_leave
from policy.rules import Rules
from store import aliases, incidents, messages, resending, sends
from store.aliases import Original
from store.database import Database
from store.resending import APPLICATION, CANCELLED, EXPIRED, Resend
from store.sends import Content, Send
from store.vault import Vault
from workers.actions.post import Road
from workers.actions.resend import looking, outcome
from workers.actions.resend.application import PATIENCE, ByApplication, Tls
from workers.actions.resend.limiter import Limiter
from workers.actions.resend.outlets import BaseUrlRefused, Outlet, Outlets
from workers.actions.resend.request import Plan, address_of, build, outlet_of
from workers.actions.resend.situation import Known, gather

_LOG = log(__name__)
_AT_ONCE: Final = 20
_TURN: Final = 2.0
_NEXT_TURN: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A resend that has been said to be leaving."""

    plan: Plan
    outlet: Outlet


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
        road: Road = Road(patience=PATIENCE),  # noqa: B008 - it cannot be changed
    ) -> None:
        self._database = database
        self._vault = vault
        self._rules = rules
        self._outlets = outlets
        self._limiter = limiter
        self._owner = owner
        self._clock = clock
        self._application = ByApplication(
            database, vault, rules, outlets.account, owner, clock, self._keep_back, road, Tls()
        )

    def run(self, stopping: Callable[[], bool]) -> int:
        """Send what is due and look up what is in doubt until nothing is left or `stopping` says so.

        Returns how many resends were moved. Raises `store.errors.Unavailable`.
        """
        moved = 0
        self._database.repeat(lambda c: resending.recover(c, self._clock()))
        self._application.take_up(self._outlets.accounts)
        while not stopping():
            due = resending.claim(self._database, self._owner, self._clock(), _AT_ONCE)
            doubted = resending.claim_look(self._database, self._owner, self._clock(), _AT_ONCE)
            if not due and not doubted:
                return moved
            for one in due:
                self.send(one)
            for one in doubted:
                self.look(one)
            moved += len(due) + len(doubted)
        return moved

    def send(self, one: Resend) -> None:
        """Send one claimed resend, if it still may leave. What a kill leaves behind is settled by `recover`."""
        send, content = self._stored(one)
        if self._application.takes(one, content):
            self._application.send(one, content)
            return
        outlet = self._outlet(one)
        name, rate = outlet_of(one, send, content)
        if name and not self._limiter.pass_one(one.account, name, rate, _TURN):
            later = self._clock() + _NEXT_TURN
            self._write(lambda c: resending.hold(c, one, self._owner, self._clock(), later, "it waits for its turn"))
            return
        ready = self._database.repeat(lambda c: self._decide(c, one, content, outlet))
        if ready is None:
            return
        result = self._post(ready)
        self._write(lambda c: outcome.record(c, one, self._owner, result, self._clock()))
        _LOG.info("resend", retry_id=str(one.id), attempt=one.attempt, result=type(result).__name__.lower())

    def _post(self, ready: _Ready) -> Result:
        plan = ready.plan
        try:
            return ready.outlet.client.send(
                plan.endpoint, plan.path, plan.body, message_id=plan.message_id, content_type=plan.content_type
            )
        except Exception as error:  # a fault of ours after the request may have left proves nothing
            _LOG.exception("resend_failed_unexpectedly", message_id=plan.message_id)
            return Unknown(f"our own code failed: {type(error).__name__}")

    def _decide(
        self, connection: Connection, one: Resend, content: Content | None, outlet: Outlet | None
    ) -> _Ready | None:
        """Ask everything again with the message locked; either say that it leaves now, or why it does not."""
        now = self._clock()
        account = self._outlets.account(one.account)
        rules = self._rules()
        registered = sends.find(connection, [one.message_key]).get(one.message_key)
        has_credential = self._outlets.may_send(registered, outlet)
        address = address_of(one, registered, content)
        known = gather(connection, one, rules, account, content, address, now, has_credential=has_credential)
        verdict = may_leave(known.situation)
        if not isinstance(verdict, Leave):
            self._keep_back(connection, one, verdict, now)
            return None
        assert known.send is not None
        assert content is not None
        assert outlet is not None
        try:
            plan = build(one, known.send, content, account, known.situation.not_after, now)
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
        if not resending.start(connection, one, self._owner, now, new_id=plan.message_id, cost=known.cost):
            return None
        # The report on the new id may be faster than our own record of the answer.
        for recipient in (plan.recipient, ""):  # some reports name no recipient
            key = messages.key_of(self._vault, one.account, plan.message_id, recipient)
            aliases.add(connection, key, one.account, Original(one.message_key, one.attempt), now)
        messages.note_resend(connection, one.message_key, one.attempt)
        return _Ready(plan, outlet)

    def _keep_back(self, connection: Connection, one: Resend, verdict: Verdict, now: datetime) -> None:
        match verdict:
            case Hold():
                resending.hold(connection, one, self._owner, now, verdict.until, verdict.why)
            case Wait():
                resending.wait(connection, one, self._owner, now, verdict.why)
                incidents.note(connection, [outcome.waiting(one, verdict.why, now)])
            case Cancel():
                resending.end(connection, one, self._owner, now, CANCELLED, verdict.why)
                sends.erase_of(connection, [one.message_key])
            case Expire():
                resending.end(connection, one, self._owner, now, EXPIRED, verdict.why)
                sends.erase_of(connection, [one.message_key])
            case Leave():
                raise AssertionError("what may leave is not kept back")

    def look(self, one: Resend) -> None:
        """Ask Infobip's logs for one resend in doubt; what the application may have, it is asked for once more."""
        if one.via == APPLICATION:
            now, note = self._clock(), "its worker ended while the application was asked; it is asked once more"
            self._write(lambda c: resending.repeat(c, one, self._owner, now, now, note))
            return
        outlet = self._outlet(one)
        with self._database.reading() as connection:
            send = sends.find(connection, [one.message_key]).get(one.message_key)
            control = sends.later_than(connection, send, one.sent_at) if send and one.sent_at else ""
        endpoint = find("POST", send.path) if send else None
        if outlet is None or endpoint is None:
            self._conclude(one, looking.Operator("there is no way to ask Infobip's logs"))
            return
        if not self._limiter.pass_one(one.account, f"logs {endpoint.logs}", endpoint.logs_rate, _TURN):
            self._conclude(one, looking.Later(self._clock() + _NEXT_TURN, one.note, read=False))
            return
        found = infobip_logs.find(outlet.client, endpoint, one.new_id, control)
        self._conclude(one, looking.judge(one, found, self._clock()))

    def _conclude(self, one: Resend, finding: looking.Finding) -> None:
        now, owner = self._clock(), self._owner

        def work(connection: Connection) -> object:
            match finding:
                case looking.There():
                    return resending.accepted(connection, one, owner, now, finding.note)
                case looking.Rejected():
                    return resending.refused(connection, one, owner, now, finding.note)
                case looking.Never():
                    return resending.again(connection, one, owner, now)
                case looking.Later():
                    return resending.looked(connection, one, owner, now, finding.at, finding.note, read=finding.read)
                case looking.Operator():
                    incidents.note(connection, [outcome.undecided(one, finding.why, now)])
                    note = f"a person has to decide: {finding.why}"
                    return resending.looked(connection, one, owner, now, None, note, read=False)

        self._write(work)
        _LOG.info("resend_looked_up", retry_id=str(one.id), finding=type(finding).__name__.lower())

    def _stored(self, one: Resend) -> tuple[Send | None, Content | None]:
        with self._database.reading() as connection:
            send = sends.find(connection, [one.message_key]).get(one.message_key)
            return send, sends.content_of(connection, self._vault, send.content) if send else None

    def _outlet(self, one: Resend) -> Outlet | None:
        try:
            return self._outlets.of(one.account)
        except BaseUrlRefused as error:
            _LOG.error("base_url_refused", account=one.account, problem=str(error), next_step="dlr doctor")
            return None

    def _write(self, work: Callable[[Connection], object]) -> None:
        self._database.repeat(work)
