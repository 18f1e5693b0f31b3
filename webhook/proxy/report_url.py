"""Our own URL for delivery reports, as DLR_PROXY_SET_WEBHOOK fills it into sends."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from config.accounts import Account
from config.settings import Settings, SettingsError
from webhook.accounts import Accounts
from webhook.auth import read_sets, set_up_checks
from webhook.first_token import kept_token

ANY_CHANNEL: Final = "{channel}"


class ReportUrls:
    """Where the reports of an account's sends come in, by channel. Switched off, it is nowhere."""

    def __init__(self, settings: Settings, accounts: Mapping[str, Account]) -> None:
        """Raises `SettingsError` where it is switched on and nobody says by which URL Infobip comes."""
        self._own = {name: account.report_url for name, account in accounts.items()}
        self._base = settings.public_url.rstrip("/")
        self._on = settings.proxy_set_webhook
        if not self._on:
            return
        lacking = sorted(name for name, url in self._own.items() if not url)
        if lacking and not self._base:
            raise SettingsError(_NO_URL)
        tokens = dict(Accounts.from_settings(settings).tokens)
        sets = read_sets(settings.auth) or (set_up_checks(settings) or ("token",),)
        first = ""
        if any("token" in one for one in sets) and not settings.allow_unauthenticated:
            first = next(iter(kept_token(settings).values()), "")
        self._tokens = {name: tokens[name].decode() if name in tokens else first for name in accounts}

    def of(self, account: str, channel: str) -> str:
        """Return the URL, or nothing where sends keep their own."""
        if not self._on:
            return ""
        if self._own[account]:
            return self._own[account]
        token = self._tokens[account]
        return f"{self._base}/webhook/{channel}" + (f"/{quote(token, safe='')}" if token else "")


_NO_URL: Final = (
    "DLR_PROXY_SET_WEBHOOK: nobody says by which URL Infobip comes; set DLR_PUBLIC_URL, or DLR_INFOBIP_REPORT_URL. "
    "For example: DLR_PUBLIC_URL=https://dlr.example.com"
)
