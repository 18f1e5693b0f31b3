"""Send again what was refused before it ever left, once a person has put right what it was refused for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from policy import Mode, Purpose
from policy.leaving import Expire, Leave, Situation, Verdict, may_leave
from policy.rules import Rules
from policy.schema import MOST_ATTEMPTS
from reports.states import REACHED
from store import blocks, messages, sends
from store.blocks import Asked, Block
from store.ids import new_ids
from store.messages import Message
from store.parts import in_parts
from store.resending import CANCELLED, EXPIRED, REFUSED
from store.retries import FROM_INCIDENT
from store.schema import contents, retries
from store.sends import Send
from store.writes import insert_returning
from workers.actions.resend.preview import Previewer
from workers.actions.resend.refused import Failure
from workers.actions.resend.situation import limits_of, not_after

_OVER: Final = (CANCELLED, EXPIRED, REFUSED)
_AT_ONCE: Final = 200
_STATES: Final = {Mode.OBSERVE: "observed", Mode.PROPOSE: "proposed", Mode.ACT: "planned"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One refused message, and whether it can still be sent again as attempt `attempt`, until `until`."""

    failure: Failure
    message_id: str
    channel: str
    attempt: int
    until: datetime
    give_up_at: datetime
    verdict: Verdict


class NeverLeft:
    """Judges and plans what an account's messages, refused before they left, may become."""

    def __init__(self, account: str, rules: Rules, previewer: Previewer) -> None:
        self._account = account
        self._rules = rules
        self._previewer = previewer

    @property
    def mode(self) -> Mode:
        """The operator's mode for resends."""
        return self._rules.modes["retry"]

    def judge(self, connection: Connection, found: Sequence[Failure], now: datetime) -> list[Candidate]:
        """Return every one with what speaks against sending it again, if anything."""
        return [one for part in in_parts(found, _AT_ONCE) for one in self._judge(connection, part, now)]

    def plan(
        self, repeat: Callable[[Callable[[Connection], int]], int], wanted: Sequence[Candidate], now: datetime
    ) -> int:
        """Plan these as resends; how many were. Each is judged again with its message locked, so two who do this at
        once plan none twice: the attempt's key is unique, and a resend that is on its way speaks against another."""
        count = 0
        for part in in_parts([one.failure for one in wanted], _AT_ONCE):
            count += repeat(lambda connection, part=part: self._plan(connection, part, now))  # type: ignore[misc]
        return count

    def _plan(self, connection: Connection, found: Sequence[Failure], now: datetime) -> int:
        judged = [one for one in self._judge(connection, found, now) if isinstance(one.verdict, Leave)]
        judged.sort(key=lambda one: (one.failure.message_key, one.attempt))
        numbers = new_ids(len(judged))
        rows = [self._row(number, one, now) for number, one in zip(numbers, judged, strict=True)]
        return len(insert_returning(connection, retries, rows, ["id"]))

    def _row(self, number: int, one: Candidate, now: datetime) -> dict[str, Any]:
        return {
            "id": number,
            "account": self._account,
            "message_key": one.failure.message_key,
            "recipient": one.failure.recipient,
            "attempt": one.attempt,
            "report_id": one.failure.report_id,
            "state": _STATES[self.mode],
            "mode": self.mode.value,
            "rule": FROM_INCIDENT,
            "channel": "",
            "due_at": now,
            "give_up_at": one.give_up_at,
            "note": "it was refused before it left",
            "changed_at": now,
        }

    def _judge(self, connection: Connection, found: Sequence[Failure], now: datetime) -> list[Candidate]:
        keys = [one.message_key for one in found]
        known = messages.find(connection, keys)
        registered = sends.find(connection, keys)
        attempts = _attempts(connection, self._account, keys)
        kept = _kept(connection, registered)
        purposes = {key: self._purpose(send) for key, send in registered.items()}
        asked = [_asked(one, registered.get(one.message_key), known.get(one.message_key), purposes) for one in found]
        met = blocks.blocking(connection, self._account, asked, now)
        outlet = self._previewer.outlet(self._account)
        account = self._previewer.outlets.account(self._account)
        limits = limits_of(self._rules.limits, account)
        # The application that is asked by its own URL has content and credential.
        by_itself = account.resend_url is not None
        made = []
        for one, block in zip(found, met, strict=True):
            message, send = known.get(one.message_key), registered.get(one.message_key)
            purpose = purposes.get(one.message_key, Purpose.UNDECLARED)
            sent_at = send.sent_at if send else message.first_at if message else now
            give_up_at = sent_at + limits.give_up_after
            if purpose is Purpose.UNDECLARED:
                give_up_at = min(give_up_at, sent_at + limits.undeclared_within)
            attempt, busy = _next(attempts.get(one.message_key, []), one)
            situation = Situation(
                moment=now,
                give_up_at=give_up_at,
                not_after=not_after(send, message, purpose, limits),
                purpose=purpose,
                reached=message is not None and message.state in REACHED,
                suppressed=block.cause if block and not block.flags else "",
                flagged=(send is not None and send.flagged) or (block is not None and block.flags),
                obstacle=one.left or busy or _obstacle(send),
                has_content=by_itself or (send is not None and send.content in kept),
                has_credential=by_itself or self._previewer.outlets.may_send(send, outlet),
            )
            made.append(_candidate(one, message, send, attempt, situation, block))
        return made

    def _purpose(self, send: Send) -> Purpose:
        return self._rules.purposes.of_send(
            Purpose(send.purpose),
            self._account,
            campaign=send.campaign,
            sender=send.sender,
            application=send.application,
        )


def _candidate(
    one: Failure, message: Message | None, send: Send | None, attempt: int, situation: Situation, block: Block | None
) -> Candidate:
    verdict = may_leave(situation)
    if isinstance(verdict, Expire) and situation.purpose is Purpose.UNDECLARED:
        verdict = Expire(f"{verdict.why}: nobody said what it is for, so it may be sent again within an hour only")
    until = min(situation.give_up_at, situation.not_after or situation.give_up_at)
    name = message.message_id if message else one.attempt_id
    channel = send.channel if send else message.channel if message else one.channel
    return Candidate(one, name, channel, attempt, until, situation.give_up_at, verdict)


def _next(rows: Sequence[Any], failure: Failure) -> tuple[int, str]:
    """Return the number of the next attempt, and what is already done about the failure, if anything."""
    failed = next((row.attempt for row in rows if row.new_id and row.new_id == failure.attempt_id), 0)
    following = max((row.attempt for row in rows), default=0) + 1
    later = [row for row in rows if row.attempt > failed and row.state not in _OVER]
    # Of what was in doubt when somebody ended it, nobody knows that it did not arrive.
    doubted = [row for row in rows if row.posts and row.state in (CANCELLED, EXPIRED)]
    if doubted:
        return following, f"attempt {doubted[-1].attempt} may have left before it was {doubted[-1].state}"
    if later:
        return following, f"attempt {later[-1].attempt} is {later[-1].state} already"
    return following, f"{MOST_ATTEMPTS} attempts are the most" if following > MOST_ATTEMPTS else ""


def _attempts(connection: Connection, account: str, keys: Sequence[bytes]) -> Mapping[bytes, list[Any]]:
    columns = (retries.c.message_key, retries.c.attempt, retries.c.state, retries.c.new_id, retries.c.posts)
    query = select(*columns).where(retries.c.account == account, retries.c.message_key.in_(keys))
    found: dict[bytes, list[Any]] = {}
    for row in connection.execute(query.order_by(retries.c.attempt)):
        found.setdefault(row.message_key, []).append(row)
    return found


def _kept(connection: Connection, registered: Mapping[bytes, Send]) -> set[int]:
    wanted = sorted({send.content for send in registered.values() if send.content})
    return set(connection.scalars(select(contents.c.id).where(contents.c.id.in_(wanted))))


def _asked(one: Failure, send: Send | None, message: Message | None, purposes: Mapping[bytes, Purpose]) -> Asked:
    return Asked(
        address=one.recipient,
        channel=send.channel if send else message.channel if message else one.channel,
        sender=send.sender if send else "",
        campaign=send.campaign if send else "",
        purpose=purposes.get(one.message_key, Purpose.UNDECLARED).value,
    )


def _obstacle(send: Send | None) -> str:
    if send is None:
        return ""
    return send.obstacle or ("Infobip itself repeats it" if send.repeats else "")
