"""Lets a callback in or turns it away, and tells the operator, not the caller, why."""

from dataclasses import dataclass, field

from flask import g, request

from config.hmac_keys import HmacKeys
from config.logs import log
from config.settings import Settings
from webhook.accounts import MAIN
from webhook.auth import Guard, Verdict
from webhook.body import Body
from webhook.checks import Presented
from webhook.diagnosis import diagnose
from webhook.errors import Forbidden, Unauthenticated
from webhook.incidents import Reporter, Tally, Throttle
from webhook.networks import Address, client_address
from webhook.target import Target

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Admission:
    """Applies the guard to each request."""

    settings: Settings
    guard: Guard
    reporter: Reporter
    refusals: Tally = field(default_factory=Tally)
    diagnoses: Throttle = field(default_factory=Throttle)

    def admit(self, target: Target, body: Body) -> bool:
        """Return whether the caller is known. Raises `Unauthenticated` or `Forbidden`.

        With DLR_ALLOW_UNAUTHENTICATED everybody is let in and nobody counts as known, whatever he brings.
        """
        if self.settings.allow_unauthenticated:
            return False
        presented = Presented(request.headers, target.token, self._address(), body.raw)
        verdict = self.guard.judge(presented)
        if verdict.passed:
            return True
        self._tell(verdict, presented, body)
        if self._has_credentials(target):
            raise Forbidden("this request may not post here")
        raise Unauthenticated("this request carries no credentials")

    def _address(self) -> Address | None:
        forwarded = request.headers.get("X-Forwarded-For", "") if self.settings.trusted_proxies else ""
        return client_address(request.remote_addr or "", forwarded, self.settings.trusted_proxies)

    def _has_credentials(self, target: Target) -> bool:
        names = ("Authorization", self.settings.hmac_header, self.settings.header_name)
        return bool(target.token) or any(name and name in request.headers for name in names)

    def _tell(self, verdict: Verdict, presented: Presented, body: Body) -> None:
        line = {"failed": ", ".join(verdict.failed), "settings": verdict.settings, "sets": self.guard.describe()}
        if self.diagnoses.allows("diagnosis"):
            encoding = request.headers.get("Content-Encoding", "")
            line["would_match"] = diagnose(self.guard, presented, body, encoding, HmacKeys(self.settings))
        if presented.address is None and "network" in verdict.failed:
            line["hint"] = "the client's address is not known: compare DLR_TRUSTED_PROXIES with the proxies in front"
        _log.warning("a callback was refused", **line)
        g.line["refused"] = line["failed"]
        if count := self.refusals.untold():
            self.reporter.note(
                "callbacks_refused",
                MAIN,
                f"Callbacks are being refused (failing: {line['failed']}). Infobip gives each one up 41.5 hours after "
                "its first attempt, and what was in it is lost then.",
                f"Compare {line['settings']} with what Infobip is given; the log says what would have matched.",
                count,
            )
