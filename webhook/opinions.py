"""What the policy in force says of a send: what it is for, and for how long anybody may want to send it again."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from codes import load_codes
from config.logs import log
from config.settings import Settings
from policy import PolicyError, Rules, load_policy
from policy.history import Purpose
from policy.rules import Purposes, Rule
from policy.silence import PATIENCE, Sent, silence_of
from store.sends import LONGEST_CONTENT

_log = log(__name__)
PURPOSES: Final = tuple(purpose.value for purpose in Purpose)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one version of the policy says."""

    purposes: Purposes
    longest: timedelta
    """From a message's send to the last moment at which a rule may send it again; at most 8 days."""
    rules: Rules

    def silence_of(self, sent: Sent) -> Rule | None:
        """Return the rule by which another channel starts where a send is not reported to have arrived, if any."""
        return silence_of(self.rules, sent) if self.rules.silences else None

    def purpose_of(self, declared: str, campaign: str, sender: str, application: str) -> str:
        """Return what a message is for: as it was declared, else as its campaign, sender or application tells."""
        if declared and declared != Purpose.UNDECLARED:
            return declared
        found = (
            self.purposes.campaign.get(campaign)
            or self.purposes.sender.get(sender)
            or self.purposes.application.get(application)
        )
        return (found or Purpose.UNDECLARED).value

    def counts_as(self, account: str, declared: str, campaign: str, sender: str, application: str) -> str:
        """Return what a message is asked of the suppressions as: with the account's default, as for its resends.

        The register keeps `purpose_of`, for nobody declares anything by a default, which may be another tomorrow.
        """
        purpose = Purpose(declared or Purpose.UNDECLARED)
        return self.purposes.of_send(purpose, account, campaign=campaign, sender=sender, application=application).value


class Opinions:
    """The policy file as this process sees it; read again when it changes. While a new one is wrong, the old stays."""

    def __init__(self, settings: Settings) -> None:
        """Read it. Raises `policy.PolicyError`, `codes.TableError` and `OSError`."""
        self._path = settings.policy
        self._tables = load_codes(settings.codes_local).tables
        self._stamp = _stamp(self._path)
        self._opinion = _of(load_policy(self._path, self._tables))

    def current(self) -> Opinion:
        """Return what the policy says now."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._opinion = _of(load_policy(self._path, self._tables))
            except (PolicyError, OSError) as error:
                _log.error("the policy was not reloaded", problem=str(error), next_step="dlr policy check")
        return self._opinion


def _of(rules: Rules) -> Opinion:
    spans = [rule.retry.give_up_after for rule in rules.rules if rule.retry is not None]
    spans += [rule.on_silence.after + PATIENCE for rule in rules.silences if rule.on_silence is not None]
    return Opinion(rules.purposes, min(max(spans, default=timedelta()), LONGEST_CONTENT), rules)


def _stamp(path: Path | None) -> tuple[int, int]:
    try:
        found = path.stat() if path else None
    except OSError:
        found = None
    return (found.st_mtime_ns, found.st_size) if found else (0, 0)
