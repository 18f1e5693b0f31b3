"""Another channel when no delivery is reported within seconds: which sends are watched, and whether silence counts.

Pure: what is known of a send, and of how callbacks come in, are arguments.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from policy.durations import in_words
from policy.history import Purpose
from policy.matching import Conditions
from policy.resending import NEVER_RESENT
from policy.rules import Rule, Rules

# Callbacks that have waited here for longer are late themselves, and the delivery may be among them.
LATEST_INBOX: Final = timedelta(seconds=5)
# Where so many of a channel's watched messages are silent, it is the channel that is, or its callbacks.
SILENT_SHARE: Final = 0.20
SILENT_COUNT: Final = 20
SILENT_WINDOW: Final = timedelta(minutes=5)
# What nobody could look at in time (all was down) is let go: callbacks were late then, too, and the moment is over.
PATIENCE: Final = timedelta(minutes=5)
# After one of these nothing more is sent; error 0 has the cause `delivered`, and stands in any report.
ENDS_IT: Final = NEVER_RESENT - {"delivered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What is known of a message as it is sent. `purpose` is as declared, or as campaign, sender or application say."""

    account: str
    channel: str
    purpose: Purpose
    sender: str = ""
    application: str = ""
    entity: str = ""
    campaign: str = ""
    address: str = ""
    """The recipient, normalised; looked at for its country, and kept nowhere."""


def silence_of(rules: Rules, sent: Sent) -> Rule | None:
    """Return the first rule with `on_silence` that matches a send, or nothing."""
    purpose = rules.purposes.of_send(
        sent.purpose, sent.account, campaign=sent.campaign, sender=sent.sender, application=sent.application
    )
    for rule in rules.silences:
        assert rule.on_silence is not None
        if rule.on_silence.then != sent.channel and _matches(rule.conditions, sent, purpose):
            return rule
    return None


def _matches(wanted: Conditions, sent: Sent, purpose: Purpose) -> bool:
    if wanted.purpose and purpose not in wanted.purpose:
        return False
    names = ("account", "channel", "sender", "application", "entity", "campaign")
    if any(values and getattr(sent, name) not in values for name in names if (values := getattr(wanted, name))):
        return False
    countries = tuple(code.lstrip("+") for code in wanted.country)
    return not countries or ("@" not in sent.address and sent.address.startswith(countries))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How callbacks of one channel come in at a moment."""

    inbox_age: timedelta = timedelta()
    """How long the oldest callback has waited to be processed."""
    since_last: timedelta | None = None
    """How long ago the channel's last callback came; nothing where none is known."""
    silent: int = 0
    """Watched messages of the channel whose time was over within `SILENT_WINDOW` without a delivery."""
    watched: int = 0
    """All watched messages of the channel whose time was over within it."""


def deafness(hearing: Hearing, callbacks_within: timedelta) -> str:
    """Return why silence proves nothing now, or the empty text: then a message that is silent has not arrived."""
    if hearing.inbox_age > LATEST_INBOX:
        return f"callbacks have waited here for {in_words(_whole(hearing.inbox_age))}"
    if hearing.since_last is None or hearing.since_last > callbacks_within:
        return f"no callback of this channel has come for {in_words(callbacks_within)}"
    if hearing.silent >= SILENT_COUNT and hearing.silent > SILENT_SHARE * hearing.watched:
        return (
            f"{hearing.silent} of {hearing.watched} messages that were watched are silent at once, so it is not the "
            "person's phone"
        )
    return ""


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=int(span.total_seconds()))
