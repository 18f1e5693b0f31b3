"""What `dlr doctor` finds of subscriptions: whether what was set up fits the settings. Infobip is not asked."""

from collections.abc import Iterator
from datetime import UTC, datetime

from cli.findings import ERROR, OK, WARNING, Finding
from cli.output import counted
from cli.subscribe.ledger import Ledger, LedgerError, Record
from cli.subscribe.proof import proof_for
from cli.subscribe.wishes import digest
from config.hmac_keys import MADE
from config.settings import Settings, SettingsError


def subscriptions(settings: Settings) -> Iterator[Finding]:
    """Look at each account that was set up."""
    try:
        records = Ledger(settings.state_dir).read()
    except LedgerError as error:
        yield Finding(ERROR, "subscriptions", str(error), "Until then no signature by its secrets is accepted.")
        return
    for account, record in records.items():
        if record.channels:
            yield from _account(settings, account, record)
        yield from _secrets(account, record)


def _account(settings: Settings, account: str, record: Record) -> Iterator[Finding]:
    again = f"Run `dlr subscribe create{'' if account == 'main' else f' --account {account}'}`: it puts this right."
    channels = ", ".join(record.channels)
    try:
        proof = proof_for(settings, account)
    except SettingsError as error:
        yield Finding(ERROR, "subscriptions", f"{account}: {error}", "Until then callbacks of it are refused.")
        return
    if record.algorithm != settings.hmac_algorithm.lower():
        said = f"{account}: Infobip signs with {record.algorithm}, and DLR_HMAC_ALGORITHM is {settings.hmac_algorithm}"
        yield Finding(ERROR, "subscriptions", said, again)
        return
    base = settings.public_url.rstrip("/").removesuffix("/webhook")
    other = [slug for slug, kept in record.channels.items() if base and digest(proof.url(base, slug)) != kept.url]
    if other:
        said = f"{account}: Infobip has another URL for {', '.join(other)} than DLR_PUBLIC_URL and DLR_AUTH make now"
        severity = ERROR if proof.token else WARNING
        yield Finding(severity, "subscriptions", said, again)
    elif not proof.signed:
        said = f"{account}: Infobip signs for {channels}, and DLR_AUTH does not ask for it"
        yield Finding(WARNING, "subscriptions", said, " ".join(proof.notes))
    else:
        said = f"{account}: {channels}; `dlr subscribe verify` asks Infobip"
        yield Finding(OK, "subscriptions", said)


def _secrets(account: str, record: Record) -> Iterator[Finding]:
    if record.of(MADE) and record.channels:
        fix = "Run `dlr subscribe rotate` (or `create`) again. Until then both secrets are accepted."
        yield Finding(WARNING, "subscriptions", f"{account}: Infobip has not confirmed the newest secret", fix)
    if due := record.due(datetime.now(UTC)):
        said = f"{account}: {counted(len(due), 'old secret')} need not be accepted any longer"
        yield Finding(WARNING, "subscriptions", said, "Run `dlr subscribe rotate --finish`.")
