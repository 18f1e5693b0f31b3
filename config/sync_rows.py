"""The settings of the sync with Infobip's lists. They are rows of `config.settings.Settings` like all others."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from config.rows import row

MOST_IN_A_REQUEST: Final = 50_000
"""Destinations that Infobip's Blocklist takes in one request (OUTBOUND 4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRows:
    """Each part is switched by a setting of its own, and off until somebody switches it on."""

    sync_blocklist: bool = row(False, "Put our suppressions on Infobip's Blocklist.", group="sync")
    sync_email_domains: str = row(
        "",
        "Sender domains whose e-mail suppressions get our bounces and complaints: DOMAIN or ACCOUNT/DOMAIN, by commas.",
        group="sync",
        example="news.example.com, shop/example.org",
    )
    sync_push: bool = row(False, "Switch off push registrations that are suppressed here.", group="sync")
    sync_ends: bool = row(
        False, "Also entries with an end; they are taken off Infobip's lists when it comes.", group="sync"
    )
    sync_pull: bool = row(False, "Read Infobip's Blocklist, and take its entries into our list.", group="sync")
    sync_pull_every: timedelta = row(timedelta(hours=1), "How often it is read from end to end.", group="sync")
    sync_verify_within: timedelta = row(
        timedelta(minutes=30),
        "What Infobip accepted and does not show on its list after so long opens an incident.",
        group="sync",
    )
    sync_batch: int = row(5_000, "Entries in one request to the Blocklist, 1 to 50000.", group="sync")
