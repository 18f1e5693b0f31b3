"""Whose callback it is: of the account of the URL's token, else of the item's application or entity, else `main`."""

from collections.abc import Iterable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final, Self

from config.settings import Settings, SettingsError
from infobip.inbound import Item

MAIN: Final = "main"


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts that settings name. `tokens` are (account, token), `owners` maps an application or entity id."""

    tokens: tuple[tuple[str, bytes], ...] = ()
    owners: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Read DLR_ACCOUNT_TOKENS and DLR_ACCOUNT_APPLICATIONS. Raises `SettingsError` where they cannot be read."""
        tokens = _pairs("DLR_ACCOUNT_TOKENS", ",".join(settings.account_tokens.values()), "shop=k3y")
        owners = _pairs("DLR_ACCOUNT_APPLICATIONS", settings.account_applications, "app-1=shop")
        return cls(tuple((account, token.encode()) for account, token in tokens), tuple(owners))

    def of_token(self, token: str) -> str:
        """Return the account whose URL token this is, or empty. Takes as long for a near miss as for a far one."""
        given = token.encode("utf-8", "surrogateescape")
        found = ""
        for account, known in self.tokens:
            if compare_digest(known, given):
                found = account
        return found

    def of_items(self, items: Iterable[Item]) -> tuple[str, ...]:
        """Return the accounts that the items belong to by their application or entity, in order of appearance."""
        if not self.owners:
            return ()
        owners = dict(self.owners)
        found: dict[str, None] = {}
        for item in items:
            account = owners.get(item.report.application) or owners.get(item.report.entity)
            if account:
                found[account] = None
        return tuple(found)


def _pairs(name: str, text: str, example: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for place, part in enumerate(text.replace(",", " ").split(), 1):
        left, sign, right = part.partition("=")
        if not (left and sign and right):
            # The text itself may hold a secret and is not shown.
            raise SettingsError(f"{name}: entry {place} is not two names with = between. For example: {name}={example}")
        found.append((left, right))
    return found
