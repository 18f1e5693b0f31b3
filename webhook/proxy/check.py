"""Where requests go is looked at once, at the start: an application's credential must not travel anywhere else."""

from collections.abc import Mapping
from dataclasses import replace

from config.accounts import Account
from config.settings import Settings, SettingsError
from infobip.outbound import BaseUrlRefused
from infobip.outbound.hosts import check_base_url


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
