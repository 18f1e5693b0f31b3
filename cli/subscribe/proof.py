"""How a callback of our subscription gets past DLR_AUTH: by its signature, a token in its URL, or a header."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from config.settings import Settings, SettingsError
from webhook.accounts import MAIN, Accounts
from webhook.auth import read_sets, set_up_checks
from webhook.first_token import kept_token

HIDDEN: Final = "***"
_CAN: Final = frozenset({"hmac", "token", "header", "network"})
"""What a profile whose security setting is an HMAC can meet; Basic would have to stand in its place."""
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True)
class Proof:
    """What the profile brings along. `checks` is the set of DLR_AUTH that lets these callbacks in; empty: any."""

    checks: tuple[str, ...]
    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What a person should know, in whole sentences."""

    @property
    def signed(self) -> bool:
        """Whether the signature is what counts."""
        return "hmac" in self.checks

    def url(self, base: str, slug: str) -> str:
        """Return the URL for a channel. Raises `SettingsError` where Infobip would not take it."""
        found = f"{base}/webhook/{slug}" + (f"/{quote(self.token, safe='')}" if self.token else "")
        if len(found) > _LONGEST:
            raise SettingsError(
                f"The URL for {slug} has {len(found)} characters; Infobip takes {_LONGEST}. Shorten it."
            )
        return found

    def masked(self, url: str) -> str:
        """Return a URL without the token in it."""
        written = quote(self.token, safe="")
        return url.replace(written, HIDDEN) if written else url


def proof_for(settings: Settings, account: str) -> Proof:
    """Return what a subscription of `account` has to bring. Raises `SettingsError` where nothing would do."""
    accounts = Accounts.from_settings(settings)
    sets = sets_in_force(settings)
    usable = [one for one in sets if _CAN.issuperset(one)]
    if sets and not usable:
        asked = ", ".join(" + ".join(one) for one in sets)
        raise SettingsError(
            f"DLR_AUTH: no callback of a signed subscription gets past `{asked}`; it can bring "
            f"{', '.join(sorted(_CAN))}. Set DLR_AUTH={_quoted(('hmac',), *sets)}."
        )
    checks = min(usable, key=lambda one: ("hmac" not in one, "token" in one, len(one)), default=())
    headers = {}
    if "header" in checks and settings.header_name:
        headers = {settings.header_name: next(iter(settings.header_value.values()), "")}
    token = _token(settings, accounts, account, needed="token" in checks)
    return Proof(checks, token, headers, tuple(_notes(settings, sets, checks)))


def sets_in_force(settings: Settings) -> tuple[tuple[str, ...], ...]:
    """Return the sets of checks that the endpoint asks for; none where it lets everybody in."""
    if settings.allow_unauthenticated:
        return ()
    return read_sets(settings.auth) or (set_up_checks(settings) or ("token",),)


def _token(settings: Settings, accounts: Accounts, account: str, *, needed: bool) -> str:
    own = dict(accounts.tokens).get(account)
    if account != MAIN:
        if own is not None:
            return own.decode()
        if not needed and account in {name for _, name in accounts.owners}:
            return ""
        raise SettingsError(
            f"DLR_ACCOUNT_TOKENS: nothing in a callback would tell that it belongs to {account}. Add a token: "
            f"DLR_ACCOUNT_TOKENS={account}=SOMETHING-RANDOM; it goes into the URL."
        )
    if not needed:
        return ""
    secret = settings.url_token if accounts.tokens else kept_token(settings)
    token = own.decode() if own is not None else next(iter(secret.values()), "")
    if not token:
        raise SettingsError(f"DLR_URL_TOKEN: the check `token` is asked for, and {MAIN} has none. Set it.")
    return token


def _notes(settings: Settings, sets: tuple[tuple[str, ...], ...], checks: tuple[str, ...]) -> list[str]:
    if not sets:
        return [
            "DLR_ALLOW_UNAUTHENTICATED lets everybody in, and nobody is suppressed or resent to on the strength of "
            'such callbacks. Set DLR_AUTH="hmac, token" instead, and restart the endpoint.'
        ]
    if "hmac" not in checks:
        return [
            f"Infobip will sign, but the endpoint does not ask for it ({_quoted(*sets)}): what protects it is the "
            f"token in the URL. To have signatures checked, set DLR_AUTH={_quoted(('hmac',), *sets)} once this is "
            "done, restart the endpoint, and run `dlr subscribe create` again: it takes the token out of the URL."
        ]
    if not any("token" in one for one in sets):
        return [
            "Only signed callbacks are let in. Where applications give a report URL in their sends, "
            f"DLR_AUTH={_quoted(*sets, ('token',))} lets those in by the token in it."
        ]
    return []


def _quoted(*sets: tuple[str, ...]) -> str:
    return '"' + ", ".join(" + ".join(one) for one in sets) + '"'
