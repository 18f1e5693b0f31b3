"""What would become of a resend if it were to leave now: everything is asked, and nothing is changed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from config.accounts import load_accounts
from config.settings import Settings
from infobip.outbound import CannotResend, TooLate, new_id
from infobip.outbound.transport import Transport
from policy.leaving import Cancel, Expire, Leave, Verdict, every_check, may_leave
from policy.rules import Rules
from store import sends
from store.resending import Resend
from store.vault import Vault
from workers.actions.resend.application import leaves_by_application
from workers.actions.resend.outlets import BaseUrlRefused, Outlet, Outlets
from workers.actions.resend.request import build
from workers.actions.resend.situation import Known, Target, gather


@dataclass(frozen=True, slots=True)
class Preview:
    """How things stand for one resend. `checks` are all questions, each with what speaks against leaving, if any."""

    known: Known
    verdict: Verdict
    checks: list[tuple[str, Verdict | None]]


class Previewer:
    """Looks at resends as a worker would that was about to send them. Nothing is posted, and no token asked for."""

    def __init__(self, outlets: Outlets, vault: Vault, rules: Callable[[], Rules]) -> None:
        self._outlets = outlets
        self._vault = vault
        self._rules = rules

    @classmethod
    def of(cls, settings: Settings, vault: Vault, rules: Callable[[], Rules]) -> "Previewer":
        """Return a previewer with the settings' accounts. Raises `config.settings.SettingsError`."""
        outlets = Outlets(load_accounts(settings), settings.infobip_hosts, vault, Transport())
        return cls(outlets, vault, rules)

    @property
    def outlets(self) -> Outlets:
        """The accounts' ways out."""
        return self._outlets

    def look(self, connection: Connection, one: Resend, now: datetime) -> Preview:
        """Return how things stand for `one`. The connection's transaction is rolled back, or ends soon, by the caller:
        the message is locked as it would be by a worker."""
        account, rules = self._outlets.account(one.account), self._rules()
        send = sends.find(connection, [one.message_key]).get(one.message_key)
        content = sends.content_of(connection, self._vault, send.content) if send else None
        has_credential = self._outlets.may_send(send, self.outlet(one.account))
        target = Target.of(self._vault, one, send, content, has_credential=has_credential)
        by_application = leaves_by_application(one, content, account)
        if by_application:
            target = replace(target, has_content=True, has_credential=True)
        known = gather(connection, one, rules, account, target, now)
        verdict = may_leave(known.situation)
        checks = every_check(known.situation)
        if isinstance(verdict, Leave) and not by_application and send is not None and content is not None:
            try:
                message_id = one.new_id or new_id(send.message_id, one.attempt)
                build(one, send, content, account, message_id, known.situation.not_after, now)
            except TooLate as error:
                verdict = Expire(str(error))
            except CannotResend as error:
                verdict = Cancel(str(error))
            checks.append(("can its request be built", None if isinstance(verdict, Leave) else verdict))
        return Preview(known, verdict, checks)

    def outlet(self, account: str) -> Outlet | None:
        """Return an account's way out, or nothing where there is none that may be used."""
        try:
            return self._outlets.of(account)
        except BaseUrlRefused:
            return None
