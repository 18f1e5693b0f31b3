"""Ways out to Infobip: one client for each account, and whether a send's resend may take it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest

from config.accounts import Account
from infobip.outbound.client import Client
from infobip.outbound.credentials import AppKey, Basic, Credential, OAuth2
from infobip.outbound.errors import BaseUrlRefused
from infobip.outbound.results import Exchange, NotSent
from infobip.outbound.transport import Transport
from store.credentials_mark import mark_of
from store.sends import Send
from store.vault import Vault


@dataclass(frozen=True, slots=True)
class Outlet:
    """How one account's requests reach Infobip."""

    account: Account
    client: Client
    credential: Credential


class Outlets:
    """Opens outlets when they are needed first; one per process, made after the fork."""

    def __init__(self, accounts: Mapping[str, Account], hosts: str, vault: Vault, transport: Transport) -> None:
        self._accounts = accounts
        self._allowed = hosts.replace(",", " ").split()
        self._vault = vault
        self._transport = transport
        self._open: dict[str, Outlet] = {}
        self._lock = threading.Lock()

    @property
    def accounts(self) -> Mapping[str, Account]:
        """All accounts that somebody described."""
        return self._accounts

    def account(self, name: str) -> Account:
        """Return an account; one that nobody described has neither credential nor limits of its own."""
        return self._accounts.get(name) or Account(name=name)

    def of(self, name: str) -> Outlet | None:
        """Return the account's outlet, or nothing where base URL or credential are not set. Raises `BaseUrlRefused`."""
        with self._lock:
            if name not in self._open:
                found = open_outlet(self.account(name), self._transport, self._allowed)
                if found is None:
                    return None
                self._open[name] = found
            return self._open[name]

    def may_send(self, send: Send | None, outlet: Outlet | None) -> bool:
        """Whether the outlet's credential is known to belong to the account that the original was sent from."""
        if outlet is None or send is None:
            return False
        # What an application told us of was told with a key of this account; what went through us has a mark.
        if not send.credential or outlet.account.one_account:
            return True
        header = outlet.credential.authorization(_unasked)
        return isinstance(header, str) and compare_digest(mark_of(self._vault, header), send.credential)


def open_outlet(account: Account, transport: Transport, allowed: list[str]) -> Outlet | None:
    """Return an account's outlet, or nothing where base URL or credential are not set. Raises `BaseUrlRefused`."""
    credential = _credential(account)
    if credential is None or not account.base_url:
        return None
    return Outlet(account, Client(account.base_url, credential, transport, allowed), credential)


def _credential(account: Account) -> Credential | None:
    if account.key:
        return AppKey(account.key)
    if account.user and account.password:
        return Basic(account.user, account.password)
    if account.client_id and account.client_secret:
        return OAuth2(account.client_id, account.client_secret)
    return None


def _unasked(path: str, form: bytes) -> Exchange:
    # A token that would have to be fetched first is a new one, and no mark could be of it.
    return NotSent("no token is asked for only to compare it", "Set DLR_INFOBIP_ONE_ACCOUNT where that is true.")


__all__ = ["BaseUrlRefused", "Outlet", "Outlets", "open_outlet"]
