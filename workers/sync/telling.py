"""What a person hears of the sync with Infobip's lists."""

from datetime import datetime, timedelta
from typing import Final

from store.incidents import Sighting
from store.sync_runs import WHOLE

STANDS_STILL: Final = "sync-stands-still"
_QUIET: Final = timedelta(hours=2)
PLAIN: Final = {"blocklist": "Blocklist", "email": "e-mail suppressions", "push": "push registrations"}


def key_of_stand(of_list: str) -> str:
    """Return the key of the incident that tells that a list stands still."""
    return f"{STANDS_STILL}|list={of_list}"


def denied(account: str, of_list: str, text: str, step: str, now: datetime) -> Sighting:
    """The account's credential or base URL does not do; or something answers that Infobip never documented."""
    title = f"The sync with Infobip's lists stands still: {text}"
    return _of(account, STANDS_STILL, "warning", title, f"{step} `dlr suppress sync` shows what waits.", now, of_list)


def without_credential(account: str, now: datetime) -> Sighting:
    """There is nothing to ask Infobip with."""
    title = "The sync with Infobip's lists is on and cannot work: there is no base URL or no credential"
    step = "Set DLR_INFOBIP_URL and DLR_INFOBIP_KEY, or the account's table in DLR_ACCOUNTS. What waits is kept."
    return _of(account, STANDS_STILL, "warning", title, step, now, WHOLE)


def refused(account: str, of_list: str, count: int, why: str, now: datetime) -> Sighting:
    """Infobip does not take some entries."""
    title = f"Infobip refuses entries for its {PLAIN[of_list]}: {why}"
    step = "`dlr suppress sync` counts them by reason; after a correction `dlr suppress sync retry` tries again."
    return _of(account, "sync-refused", "info", title, step, now, of_list, count)


def missing(account: str, of_list: str, count: int, now: datetime) -> Sighting:
    """Something was accepted and did not happen in time, or was there and is gone."""
    title = f"Infobip took changes of its {PLAIN[of_list]} and does not show them"
    step = (
        "See in Infobip's portal whether somebody changed the list there. It is looked at again every hour; "
        "`dlr suppress sync retry` asks for the same once more."
    )
    return _of(account, "sync-missing", "warning", title, step, now, of_list, count)


def own_stops_gone(account: str, count: int, now: datetime) -> Sighting:
    """Opt-outs are no longer on Infobip's list, and nobody told of an opt-in."""
    title = "Opt-outs are gone from Infobip's Blocklist, and stay in force here"
    step = (
        "That a stop is no longer listed is nobody's opt-in. Where the person wants messages again, lift it with the "
        "reason: `dlr suppress lift`. Subscribe to the BLOCKLIST events to hear of opt-ins: `dlr subscribe`."
    )
    return _of(account, "sync-own-stops-gone", "info", title, step, now, count=count)


def shrank(account: str, count: int, now: datetime) -> Sighting:
    """So much is gone there at once that a mistake is likelier."""
    title = f"{count} entries are gone from Infobip's Blocklist at once; nothing was lifted here for that reason"
    step = (
        "See whether the list was emptied by mistake, or the credential is another account's. If they are rightly "
        "gone: `dlr suppress sync accept`."
    )
    return _of(account, "sync-list-shrank", "warning", title, step, now)


def _of(
    account: str,
    rule: str,
    severity: str,
    title: str,
    step: str,
    now: datetime,
    of_list: str = "",
    count: int = 1,
) -> Sighting:
    return Sighting(
        account=account,
        key=f"{rule}|list={of_list}" if of_list else rule,
        rule=rule,
        severity=severity,
        title=title,
        next_step=step,
        at=now,
        count=count,
        facts={"list": of_list} if of_list else {},
        quiet=_QUIET,
    )
