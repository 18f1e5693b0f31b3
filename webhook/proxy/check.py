"""What is looked at once, at the start: above all where requests go, for credentials must not travel anywhere else."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from config.accounts import Account, load_accounts
from config.settings import Settings, SettingsError
from infobip.outbound import BaseUrlRefused
from infobip.outbound.hosts import check_base_url
from webhook.proxy.report_url import ReportUrls

DROP: Final = "drop"
REFUSE: Final = "refuse"
OFF: Final = "off"
MODES: Final = (DROP, REFUSE, OFF)
"""What is done about sends to people who are suppressed."""


def check_settings(settings: Settings) -> None:
    """Raise `SettingsError` for what the pass-through cannot start with."""
    if settings.proxy_suppressed not in MODES:
        raise SettingsError(f"DLR_PROXY_SUPPRESSED: {settings.proxy_suppressed!r} is none of {', '.join(MODES)}")
    ReportUrls(settings, check_accounts(settings, load_accounts(settings)))


def check_accounts(settings: Settings, accounts: Mapping[str, Account]) -> dict[str, Account]:
    """Return the accounts with their base URLs as they are used. Raises `SettingsError` with every one that is not."""
    allowed = settings.infobip_hosts.replace(",", " ").split()
    checked: dict[str, Account] = {}
    faults = []
    for name, account in accounts.items():
        try:
            url = check_base_url(account.base_url, allowed) if account.base_url else ""
            checked[name] = replace(account, base_url=url)
        except BaseUrlRefused as error:
            faults.append(f"DLR_INFOBIP_URL, or base_url of {name}: {error}. {error.next_step}")
    if faults:
        raise SettingsError("\n".join(faults))
    return checked
