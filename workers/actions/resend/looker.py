"""Clear up resends in doubt, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from config.logs import log
from infobip.outbound import logs as infobip_logs
from infobip.outbound.logs import Unreadable
from store import incidents, passes, resending, sends
from store.database import Database
from store.resending import APPLICATION, Resend
from store.vault import Vault
from workers.actions.resend import looking, outcome
from workers.actions.resend.limiter import Limiter
from workers.actions.resend.outlets import Outlet
from workers.actions.resend.request import endpoint_of
from workers.actions.resend.waits import Waits

_LOG = log(__name__)
TURN: Final = 2.0
NEXT_TURN: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Looker:
    """Asks Infobip's logs for resends whose answer was lost."""

    database: Database
    vault: Vault
    outlet: Callable[[Resend], Outlet | None]
    limiter: Limiter
    owner: str
    clock: Callable[[], datetime]
    waits: Waits

    def look(self, one: Resend) -> None:
        """Ask Infobip's logs for one resend in doubt; what the application may have, it is asked for once more."""
        if one.via == APPLICATION:
            now, note = self.clock(), "its worker ended while the application was asked; it is asked once more"
            self.database.repeat(lambda c: resending.repeat(c, one, self.owner, now, now, note))
            return
        outlet = self.outlet(one)
        with self.database.reading() as connection:
            send = sends.find(connection, [one.message_key]).get(one.message_key)
            content = sends.content_of(connection, self.vault, send.content) if send else None
            endpoint = endpoint_of(one, send, content)
            control = ""
            if endpoint is not None and one.sent_at is not None:
                control = sends.later_than(connection, one.account, endpoint.name, one.sent_at)
        if endpoint is None:
            self._conclude(one, looking.Operator("there is no way to ask Infobip's logs"))
            return
        if outlet is None:  # somebody may set it right before the logs forget
            found = Unreadable("no credential is set for this account", "Set one.")
            self._conclude(one, looking.judge(one, found, self.clock(), self.waits))
            return
        if not self.limiter.pass_one(one.account, f"logs {endpoint.logs}", endpoint.logs_rate, TURN):
            self._conclude(one, looking.Later(self.clock() + NEXT_TURN, one.note, read=False))
            return
        seen = infobip_logs.find(outlet.client, endpoint, one.new_id, control)
        self._conclude(one, looking.judge(one, seen, self.clock(), self.waits))

    def _conclude(self, one: Resend, finding: looking.Finding) -> None:
        now, owner = self.clock(), self.owner

        def work(connection: Connection) -> object:
            match finding:
                case looking.There():
                    return resending.accepted(connection, one, now, finding.note)
                case looking.Rejected():
                    is_ours = resending.refused(connection, one, owner, now, finding.note)
                    passes.refused(connection, one.id)
                    return is_ours
                case looking.Never():
                    return resending.again(connection, one, owner, now)
                case looking.Later():
                    return resending.looked(connection, one, owner, now, finding.at, finding.note, read=finding.read)
                case looking.Operator():
                    incidents.note(connection, [outcome.undecided(one, finding.why, now)])
                    note = f"a person has to decide: {finding.why}"
                    return resending.looked(connection, one, owner, now, None, note, read=False)

        self.database.repeat(work)
        _LOG.info("resend_looked_up", retry_id=str(one.id), finding=type(finding).__name__.lower())
