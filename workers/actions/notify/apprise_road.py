"""Send one message through apprise, which knows more than a hundred services.

Apprise is loaded here, when the first message leaves: it takes more memory than all else that a worker holds. It
swallows errors and logs them, so its log is where the reason of a failure is found.
"""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from config.mask import mask_text
from workers.actions.notify.message import Message

_LOGGER: Final = "apprise"
# The Message-ID of the e-mail that this thread sends.
_MAIL: Final[ContextVar[str]] = ContextVar("mail", default="")
_LONGEST_REASON: Final = 300


class CannotUse(Exception):
    """The URL is none that apprise can use. The text says why, without the URL."""


class NotTaken(Exception):
    """The service did not take the message, or may not have. The text says why."""


def check(url: str) -> None:
    """Raise `CannotUse` where apprise knows no such URL."""
    _plugin(url)


def keeps_open(url: str) -> bool:
    """Whether the service keeps what it is told open until it is told the end, as PagerDuty does."""
    return hasattr(_plugin(url), "dedup")


def send(url: str, message: Message) -> None:
    """Send it once. Raises `CannotUse`, and `NotTaken`."""
    import apprise

    plugin = _plugin(url)
    _give_keys(plugin, message)
    kinds = {"critical": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING}
    kind = apprise.NotifyType.SUCCESS if message.resolved else kinds.get(message.severity, apprise.NotifyType.INFO)
    with _overheard() as said:
        taken = plugin.notify(
            title=message.title, body=message.body, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
        )
    if not taken:
        raise NotTaken(_reason(said, url))


def _plugin(url: str) -> Any:
    import apprise

    # Nothing is kept between messages: what has to be remembered stands in the database.
    asset = apprise.AppriseAsset(app_id="dlr", app_desc="Delivery reports", storage_mode="memory")
    with _overheard() as said:
        try:
            plugin = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=False)
        except (TypeError, ValueError) as error:
            raise CannotUse(_reason([str(error)], url)) from None
    if plugin is None:
        raise CannotUse(_reason(said, url) if said else "there is no such service, or a part of it is missing")
    return plugin


def _give_keys(plugin: Any, message: Message) -> None:
    """Give the message its stable keys, each in the way of the service. What the URL itself says stays."""
    if hasattr(plugin, "dedup") and not plugin.dedup:  # PagerDuty and others: what resolves finds what it opened
        plugin.dedup = message.key
        if str(getattr(plugin, "action", "")) == "trigger":
            plugin.action = "map"
    if hasattr(plugin, "alias") and not plugin.alias:  # Opsgenie
        plugin.alias = message.key
    if hasattr(plugin, "payload_extras") and isinstance(getattr(plugin, "headers", None), dict):  # webhooks
        plugin.headers.setdefault("webhook-id", message.notice_key)
        plugin.payload_extras = {"key": message.key, **message.details, **plugin.payload_extras}
    if hasattr(plugin, "smtp_host") and isinstance(getattr(plugin, "headers", None), dict):  # e-mail
        host = plugin.smtp_host or "dlr"
        _name_mails()
        _MAIL.set(f"<{message.notice_key}@{host}>")
        plugin.headers.setdefault("References", f"<{message.key}@{host}>")  # one thread for each incident


def _name_mails() -> None:
    """Let an e-mail have the Message-ID of its notice, which apprise makes up anew each time and cannot be told."""
    from apprise.plugins.email import base as module

    base: Any = module
    made_up = base.make_msgid
    if getattr(made_up, "of_dlr", False):
        return

    def make_msgid(*args: Any, **more: Any) -> str:
        return _MAIL.get() or str(made_up(*args, **more))

    make_msgid.of_dlr = True  # type: ignore[attr-defined]
    base.make_msgid = make_msgid


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Collect what apprise says in this thread, and keep it out of our own log, where it could show an address."""
    said: list[str] = []
    logger, thread = logging.getLogger(_LOGGER), threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread and record.levelno >= logging.WARNING:
                said.append(record.getMessage())

    ear = Ear()
    logger.addHandler(ear)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(ear)


def _reason(said: list[str], url: str) -> str:
    # The first line names the failure, and some services go on with the answer's whole text.
    text = (said[0] if said else "it was not taken, and no reason was given").split("\n", 1)[0]
    for secret in re.split(r"[/:@?&=,]+", url.partition("://")[2]):
        if len(secret) >= 6:
            text = text.replace(secret, "…")
    return mask_text(text)[:_LONGEST_REASON]
