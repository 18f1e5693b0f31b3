"""What each `dlr subscribe` command starts from: account, way to Infobip, ledger, and how callbacks pass."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlsplit

import click

from cli.output import fail
from cli.state import settings_or_fail
from cli.subscribe.ledger import KeptChannel, Ledger, LedgerError, Record
from cli.subscribe.proof import Proof, proof_for
from cli.subscribe.wishes import PREFIX, Names, Wish
from config.accounts import Account, load_accounts
from config.settings import Settings, SettingsError
from infobip.outbound.errors import BaseUrlRefused, SubscriptionsRefused
from infobip.outbound.subscription_channels import SUBSCRIBED, SubscribedChannel
from infobip.outbound.subscriptions import SubscriptionsApi
from infobip.outbound.transport import Transport
from webhook.checks import ALGORITHMS
from workers.actions.resend.outlets import open_outlet

_LONGEST_PREFIX: Final = 100


@dataclass(frozen=True, slots=True)
class Scene:
    """One account of one installation."""

    settings: Settings
    account: Account
    api: SubscriptionsApi
    ledger: Ledger
    names: Names

    @property
    def record(self) -> Record:
        """What is set up, as the file says now."""
        return self.ledger.of(self.account.name)

    def put(self, record: Record) -> None:
        """Write down what is set up."""
        self.ledger.put(self.account.name, record)

    @property
    def algorithm(self) -> str:
        """The HMAC algorithm that the endpoint checks with."""
        return self.settings.hmac_algorithm.lower()

    def proof(self) -> Proof:
        """Return how this account's callbacks pass; end the command where they could not."""
        try:
            if self.algorithm not in ALGORITHMS:
                raise SettingsError(f"DLR_HMAC_ALGORITHM: {self.algorithm!r} is none of {', '.join(ALGORITHMS)}.")
            return proof_for(self.settings, self.account.name)
        except SettingsError as error:
            raise fail(str(error), 2) from None

    def wishes(self, slugs: Iterable[str], url: str, proof: Proof, *, inbound: bool, tracking: bool) -> list[Wish]:
        """Return what is to stand at Infobip; what was asked for in an earlier run stays."""
        base, before = self.base(url), self.record.channels
        found: list[Wish] = []
        for slug in slugs:
            known = before.get(slug, KeptChannel())
            try:
                target = proof.url(base, slug)
            except SettingsError as error:
                raise fail(str(error), 2) from None
            found.append(Wish(SUBSCRIBED[slug], inbound or known.inbound, tracking or known.tracking, target))
        return found

    def base(self, url: str) -> str:
        """Return the address that Infobip comes by; end the command where there is none."""
        base = (url or self.settings.public_url).strip().rstrip("/").removesuffix("/webhook")
        parts = urlsplit(base)
        if not base:
            raise fail("Infobip has to reach this service: set DLR_PUBLIC_URL, or give --url https://YOUR-HOST.", 2)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise fail(f"{base!r} is no address that Infobip could post to. For example: https://dlr.example.com", 2)
        return base


@contextmanager
def scene(account: str, prefix: str = "") -> Iterator[Scene]:
    """Open an account; end the command with the reason and the next step where that, or anything in it, fails."""
    settings = settings_or_fail()
    ledger = Ledger(settings.state_dir)
    transport = Transport()
    try:
        found = _account(load_accounts(settings), account)
        outlet = open_outlet(found, transport, settings.infobip_hosts.replace(",", " ").split())
        if outlet is None:
            raise fail(_incomplete(found), 2)
        names = Names(_prefix(prefix, ledger.of(account)), account)
        yield Scene(settings, found, SubscriptionsApi(outlet.client, _pause), ledger, names)
    except SettingsError as error:
        raise fail(f"These settings are wrong:\n{error}", 2) from None
    except BaseUrlRefused as error:
        raise fail(f"{error}. {error.next_step}", 2) from None
    except LedgerError as error:
        raise fail(str(error)) from None
    except SubscriptionsRefused as error:
        raise fail(f"{error}. {error.next_step}") from None
    finally:
        transport.close()


def check_channels(asked: tuple[str, ...]) -> None:
    """End the command at a channel that there is not; that needs no credential to be known."""
    for slug in asked:
        if slug not in SUBSCRIBED:
            near = get_close_matches(slug, SUBSCRIBED, n=1, cutoff=0.75)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(SUBSCRIBED)}."
            raise fail(
                f"Reports of {slug!r} cannot be subscribed to: Infobip's reference names no event for them. {hint} "
                "What is sent on other channels needs a report URL in each send.",
                2,
            )


def chosen(asked: tuple[str, ...], record: Record) -> list[str]:
    """Return the channels that are meant: those asked for, else those set up; end the command at one there is not."""
    check_channels(asked)
    found = list(dict.fromkeys(asked)) or [slug for slug in SUBSCRIBED if slug in record.channels]
    if not found:
        raise fail(f"Name the channels that you send on, such as --channel sms. There are {', '.join(SUBSCRIBED)}.", 2)
    return found


def channels_of(slugs: Iterable[str]) -> list[SubscribedChannel]:
    """Return the rows of the table of channels."""
    return [SUBSCRIBED[slug] for slug in slugs]


def _prefix(asked: str, record: Record) -> str:
    if asked and not (asked.isascii() and asked.isalnum() and len(asked) <= _LONGEST_PREFIX):
        raise fail(f"--prefix {asked!r}: letters and digits only, at most {_LONGEST_PREFIX}.", 2)
    if asked and record.prefix and asked != record.prefix and record.channels:
        raise fail(
            f"This account is set up with the prefix {record.prefix!r}. Remove that first: `dlr subscribe remove`.", 2
        )
    return asked or record.prefix or PREFIX


def _account(accounts: Mapping[str, Account], name: str) -> Account:
    if name not in accounts:
        raise fail(f"There is no account {name!r}. There are {', '.join(accounts)}; DLR_ACCOUNTS describes them.", 2)
    return accounts[name]


def _incomplete(account: Account) -> str:
    lacking = [] if account.base_url else ["its base URL (DLR_INFOBIP_URL, or base_url in DLR_ACCOUNTS)"]
    if not account.has_credential:
        lacking.append("a credential with the scope subscriptions:manage (DLR_INFOBIP_KEY, or key in DLR_ACCOUNTS)")
    return f"To reach Infobip as {account.name}, this is missing: {' and '.join(lacking) or 'a whole credential'}."


def _pause(seconds: float) -> None:
    click.echo(f"Infobip is busy or cannot be reached; once more in {seconds:g} s ...", err=True)
    time.sleep(seconds)
