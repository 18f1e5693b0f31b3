"""`dlr subscribe rotate`: another secret, without a callback that is refused, wherever it is broken off.

1. The new secret is written beside the old one; the endpoint accepts both from then on.
2. A sample that is signed with the new one is posted: the endpoint in front really accepts it.
3. Infobip gets the new one.
4. The old one is written down as retired, and accepted for two more days: repeated callbacks may carry it.
5. `rotate --finish` removes it, once nothing can come that is signed with it.

Broken off before 3, Infobip signs with the old one; after 3, with the new one; both are accepted all the while.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cli.findings import ERROR
from cli.moments import shown
from cli.output import counted, fail
from cli.subscribe.evidence import Evidence
from cli.subscribe.ledger import KEEP, KeptSecret
from cli.subscribe.making import Probe, half_way
from cli.subscribe.plan import CHANGE, Step
from cli.subscribe.scene import Scene
from cli.subscribe.wishes import security_body
from config.hmac_keys import RETIRED
from infobip.outbound.errors import SubscriptionsRefused
from infobip.outbound.subscriptions import SECURITY

_AGAIN: Final = "dlr subscribe rotate"


@dataclass(frozen=True, slots=True)
class Rotation:
    """The steps, each of which may be the last one that is reached."""

    at: Scene
    tell: Callable[[str], None]
    probe: Probe | None
    """Posts a sample that is signed with a secret; nothing where there is no database to find it in."""

    def run(self, *, unproven: bool) -> None:
        """Do all of it; `unproven` goes on where the sample does not come through."""
        self.write()
        self.prove(unproven=unproven)
        self.give()
        self.retire()

    def write(self) -> None:
        """Keep the new secret beside the old one; one that an earlier run made is taken."""
        record = self.at.record
        if not record.secrets or not record.channels:
            raise fail("Nothing is set up for this account yet: `dlr subscribe create` does that.")
        if self.at.api.read(SECURITY, self.at.names.security) is None:
            raise fail(
                f"The security setting {self.at.names.security} is not at Infobip any more: run `dlr subscribe create`."
            )
        self.at.put(record.with_new(datetime.now(UTC)))
        self.tell("the new secret is kept beside the old one: both are accepted")

    def prove(self, *, unproven: bool) -> None:
        """See that the endpoint in front accepts the new secret."""
        newest = self.at.record.newest
        assert newest is not None
        if self.probe is None or not self.at.proof().signed:
            self.tell("no sample is posted: the endpoint does not ask for signatures")
            return
        found = self.probe(newest.secret)
        if found.severity != ERROR or unproven:
            self.tell(f"a sample signed with the new secret: {found.message}")
            return
        raise fail(
            f"The endpoint does not accept the new secret: {found.message}. {found.fix} Infobip has not got it yet, "
            f"and goes on with the old one. Where several hosts take callbacks, each needs {self.at.ledger.path.name} "
            f"in its state folder. Then run `{_AGAIN}` again; --unproven goes on without the sample."
        )

    def give(self) -> None:
        """Let Infobip have it."""
        record = self.at.record
        assert record.newest is not None
        step = Step(CHANGE, SECURITY, self.at.names.security, "")
        body = security_body(record.newest.secret, self.at.algorithm)
        try:
            self.at.api.replace(SECURITY, step.name, body)
        except SubscriptionsRefused as error:
            told = half_way(step, [], error, _AGAIN)
            raise fail(f"{told} Until then both secrets are accepted, whichever Infobip signs with.") from None
        self.tell("Infobip has the new secret")

    def retire(self) -> None:
        """Note since when the old one is out of use."""
        now = datetime.now(UTC)
        self.at.put(self.at.record.given(now))
        self.tell(
            f"the old secret stays accepted until {shown(now + KEEP)}, for callbacks that Infobip repeats; "
            "`dlr subscribe rotate --finish` then removes it"
        )


def finish(at: Scene, evidence: Evidence | None, *, now: bool) -> list[KeptSecret]:
    """Return the retired secrets that may go; end the command where none may. `now` does not wait for any."""
    record, moment = at.record, datetime.now(UTC)
    retired = record.of(RETIRED)
    if not retired:
        raise fail("There is no old secret to remove.")
    if now:
        return list(retired)
    due = record.due(moment)
    if not due:
        last = shown(min(one.since for one in retired) + KEEP)
        raise fail(
            f"It is too early: callbacks signed with an old secret may be repeated until {last}. Where it has leaked, "
            "`dlr subscribe rotate --finish --now` removes it at once, and Infobip's repetitions are refused."
        )
    if evidence is not None:
        _check_not_in_use(evidence, due)
    return list(due)


def _check_not_in_use(evidence: Evidence, due: tuple[KeptSecret, ...]) -> None:
    for one in evidence.seen:
        # What was signed before the change is repeated for less time than that.
        if one.secret in due and one.at - one.secret.since >= KEEP:
            raise fail(
                f"Infobip still signs with an old secret: the last such callback came at {shown(one.at)}, and "
                f"{counted(one.count, 'of the newest callbacks is', 'of the newest callbacks are')} signed so. Run "
                "`dlr subscribe verify`, and `dlr subscribe rotate` to give Infobip a new one once more."
            )
