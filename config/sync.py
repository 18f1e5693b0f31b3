"""What the sync with Infobip's lists is to do for one account, as the settings say."""

import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Final

from config.settings import Settings, SettingsError
from config.sync_rows import MOST_IN_A_REQUEST

_DOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_LEAST_EVERY: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Switches:
    """What is on for one account."""

    blocklist: bool = False
    email_domains: tuple[str, ...] = ()
    push: bool = False
    ends: bool = False
    pull: bool = False
    pull_every: timedelta = timedelta(hours=1)
    verify_within: timedelta = timedelta(minutes=30)
    batch: int = 5_000

    @property
    def pushes(self) -> bool:
        """Whether anything is written to Infobip's lists."""
        return self.blocklist or bool(self.email_domains) or self.push

    @property
    def is_on(self) -> bool:
        """Whether there is anything to do at all."""
        return self.pushes or self.pull

    @property
    def lists(self) -> tuple[str, ...]:
        """The lists that are written to."""
        on = (("blocklist", self.blocklist), ("email", bool(self.email_domains)), ("push", self.push))
        return tuple(name for name, wanted in on if wanted)

    @property
    def signature(self) -> str:
        """A short text that changes when other entries belong on Infobip's lists than before."""
        said = f"{','.join(self.lists)};{','.join(self.email_domains)};{self.ends}"
        return blake2b(said.encode(), digest_size=16).hexdigest()


def switches_of(settings: Settings, account: str) -> Switches:
    """Return what is on for `account`. Raises `SettingsError` with every mistake."""
    faults: list[str] = []
    domains: dict[str, None] = {}
    for written in settings.sync_email_domains.replace(",", " ").split():
        owner, slash, domain = written.rpartition("/")
        if not _DOMAIN.fullmatch(domain.lower()) or (slash and not owner):
            faults.append(f"DLR_SYNC_EMAIL_DOMAINS: {written!r} is no domain. Write example.com, or shop/example.com")
        elif not slash or owner == account:
            domains[domain.lower()] = None
    if not 1 <= settings.sync_batch <= MOST_IN_A_REQUEST:
        faults.append(f"DLR_SYNC_BATCH: it is {settings.sync_batch}. Write a number from 1 to {MOST_IN_A_REQUEST}")
    for name in ("sync_pull_every", "sync_verify_within"):
        if getattr(settings, name) < _LEAST_EVERY:
            faults.append(f"DLR_{name.upper()}: it is less than a second. Write 1s or more")
    if faults:
        raise SettingsError("\n".join(faults))
    return Switches(
        blocklist=settings.sync_blocklist,
        email_domains=tuple(domains),
        push=settings.sync_push,
        ends=settings.sync_ends,
        pull=settings.sync_pull,
        pull_every=settings.sync_pull_every,
        verify_within=settings.sync_verify_within,
        batch=settings.sync_batch,
    )
