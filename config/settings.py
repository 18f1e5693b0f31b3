"""Every setting, read from the environment in one place: a field is a name, a type, a default and its help.

The environment variable is `DLR_` and the field's name in capitals. `.env.example` and docs/settings.md are made from
these fields, and a test compares them.
"""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, get_type_hints

from marshmallow import ValidationError

from config.rows import read, shown
from config.rows import row as _row
from config.secrets import Secret
from config.sync_rows import SyncRows

PREFIX: Final = "DLR_"


class SettingsError(Exception):
    """Settings that cannot be used. The text names each variable, what is wrong with it, and an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SyncRows):
    """All settings of one process. Values are typed and final; secrets re-read their files by themselves."""

    # ---- where things are
    state_dir: Path = _row(
        Path("var"), "Folder of everything this installation keeps: database, keys, Valkey.", group="place"
    )
    database_url: str = _row(
        "",
        "Database. Empty means SQLite in the state folder; PostgreSQL is postgresql+psycopg://USER:PASSWORD@HOST/NAME.",
        group="place",
        example="postgresql+psycopg://dlr:secret@db/dlr",
    )
    redis_url: str = _row(
        "",
        "Redis or Valkey >= 6.2, Celery's broker. Empty means the bundled Valkey on a private socket.",
        group="place",
        example="redis://:secret@redis:6379/0",
    )
    public_url: str = _row(
        "", "How Infobip reaches this service from outside.", group="place", example="https://dlr.example.com"
    )

    # ---- rules and codes
    policy: Path | None = _row(None, "Your own rules, which stand before the shipped ones.", group="rules")
    codes_local: Path | None = _row(None, "CSV file of your own code rows, laid over the shipped.", group="rules")
    four_eyes: bool = _row(
        False, "Lifting an opt-out by hand takes a second person: `dlr suppress approve`.", group="rules"
    )

    # ---- the endpoint
    web_bind: str = _row("127.0.0.1:8080", "Address and port of the callback endpoint.", group="web")
    web_workers: int = _row(1, "Web processes.", group="web")
    web_threads: int = _row(8, "Threads of each web process.", group="web")
    max_body_mb: int = _row(
        32, "Largest callback in MiB, after unpacking. Infobip's maxBucketSize decides what comes.", group="web"
    )
    default_channel: str = _row(
        "", "Channel of callbacks that neither their items nor their URL name.", group="web", example="sms"
    )
    trusted_proxies: int = _row(0, "Reverse proxies in front whose X-Forwarded-For is believed.", group="web")
    lock_wait: timedelta = _row(
        timedelta(seconds=2), "Longest wait for the database before a callback gets 503.", group="web"
    )

    # ---- who may post callbacks
    auth: str = _row(
        "",
        "Sets of checks, one of which must pass whole: token, basic, hmac, header, network; + joins, comma separates.",
        group="auth",
        example="hmac, token + network",
    )
    url_token: Secret = _row(Secret(), "Secret in the path (/webhook/CHANNEL/TOKEN) or query (?token=).", group="auth")
    basic_user: str = _row("", "User name of Basic authentication.", group="auth")
    basic_password: Secret = _row(Secret(), "Password of Basic authentication.", group="auth")
    hmac_secret: Secret = _row(Secret(), "Secret key of the HMAC over the raw body.", group="auth")
    hmac_header: str = _row("x-hub-signature", "Header that carries the HMAC.", group="auth")
    hmac_algorithm: str = _row("sha256", "md5, sha1, sha224, sha256, sha384 or sha512.", group="auth")
    hmac_prefix: str = _row("sha256=", "What stands before the HMAC in its header.", group="auth")
    hmac_encoding: str = _row("hex", "hex, base64 or base64url.", group="auth")
    header_name: str = _row("", "Name of a static header that a subscription profile adds.", group="auth")
    header_value: Secret = _row(Secret(), "Value of that header.", group="auth")
    networks: str = _row(
        "",
        "Networks that callbacks may come from, separated by commas.",
        group="auth",
        example="193.105.74.0/24,83.166.64.0/19",
    )
    allow_unauthenticated: bool = _row(
        False,
        "Accept callbacks without any check; nobody is then suppressed or resent to on their strength.",
        group="auth",
    )

    # ---- accounts
    account_tokens: Secret = _row(
        Secret(),
        "URL tokens of further accounts, as ACCOUNT=TOKEN separated by blanks or commas.",
        group="accounts",
        example="shop=k3y",
    )
    account_applications: str = _row(
        "",
        "Accounts by applicationId or entityId, as ID=ACCOUNT separated by commas.",
        group="accounts",
        example="app-1=shop",
    )

    # ---- calling Infobip, for the account `main`; further ones stand in the file of DLR_ACCOUNTS
    infobip_url: str = _row(
        "", "Base URL of your Infobip account.", group="infobip", example="https://xxxxx.api.infobip.com"
    )
    infobip_key: Secret = _row(Secret(), "API key with which resends leave.", group="infobip")
    infobip_user: str = _row("", "User name, where Basic authentication is used instead of a key.", group="infobip")
    infobip_password: Secret = _row(Secret(), "Password of that user.", group="infobip")
    infobip_client_id: str = _row("", "OAuth2 client, where it is used instead of a key.", group="infobip")
    infobip_client_secret: Secret = _row(Secret(), "Secret of that client.", group="infobip")
    infobip_hosts: str = _row(
        "", "Further hosts that credentials may travel to, besides *.infobip.com.", group="infobip", example="dlr-test"
    )
    infobip_one_account: bool = _row(
        False,
        "Whatever credential your applications use through /proxy, it is of this Infobip account.",
        group="infobip",
    )
    infobip_report_url: str = _row(
        "",
        "Report URL that resends carry. Empty: none, so your subscription's settings apply.",
        group="infobip",
        example="https://dlr.example.com/webhook",
    )
    accounts: Path | None = _row(
        None, "TOML file of further accounts and of limits; see docs/resend.md.", group="infobip"
    )

    # ---- between applications and Infobip
    proxy_bind: str = _row(
        "127.0.0.1:8090", "Address and port of /proxy and /api. `off` in `dlr up`: neither is served.", group="proxy"
    )
    proxy_workers: int = _row(1, "Processes of the pass-through.", group="proxy")
    proxy_threads: int = _row(32, "Threads of each of them: sends that can wait for Infobip at once.", group="proxy")
    proxy_timeout: timedelta = _row(
        timedelta(seconds=25),
        "Longest wait for Infobip's answer; then the outcome of a send is unknown.",
        group="proxy",
    )
    proxy_suppressed: str = _row(
        "drop",
        "Sends to suppressed people: drop (they get Infobip's status 14), refuse (the whole request), or off.",
        group="proxy",
    )
    proxy_set_webhook: bool = _row(
        False,
        "Fill our report URL into sends that pass through. It silences your subscription for them.",
        group="proxy",
    )
    proxy_fail_closed: bool = _row(
        False, "Answer sends with 503 while the database is away, since opt-outs cannot be checked.", group="proxy"
    )

    # ---- sending again
    time_zone: str = _row("UTC", "Zone of recipients whose number tells none.", group="resend")
    quiet_hours: str = _row(
        "21:00-08:00", "When nothing but one-time codes is resent, where the recipient lives; or off.", group="resend"
    )

    # ---- passing callbacks on
    relay_url: str = _row(
        "",
        "Where callbacks are passed on: URL, CHANNEL=URL, ACCOUNT/CHANNEL=URL, ACCOUNT/*=URL; the most exact wins.",
        group="relay",
        example="https://app.example.com/dlr",
    )
    relay_private: bool = _row(False, "Allow relay targets in private networks.", group="relay")

    # ---- telling the customer's own system
    forward: Path | None = _row(
        None, "TOML file of your own endpoints that get signed events; see docs/forward.md.", group="forward"
    )

    # ---- telling people of incidents
    alert_routes: Path | None = _row(
        None, "TOML file of the routes over which incidents are told; see docs/alerts.md.", group="alerts"
    )
    alert_quiet: timedelta = _row(
        timedelta(hours=6), "An incident of which nothing is heard for so long is over.", group="alerts"
    )
    alert_flap: timedelta = _row(
        timedelta(hours=1),
        "An incident that comes back so soon after its end is the same one, and nobody is paged again.",
        group="alerts",
    )
    heartbeat_url: Secret = _row(
        Secret(),
        "Called once a minute while web, database, beat and workers all do work, so that its silence alarms somebody.",
        group="alerts",
        example="https://hc-ping.com/00000000-0000-0000-0000-000000000000",
    )

    # ---- opt-out words
    stop_words: str = _row(
        "stop,stopall,unsubscribe,revoke,opt out,optout,arret", "Inbound texts that opt a person out.", group="words"
    )
    stop_words_nanp: str = _row("quit,end,cancel", "The same, for numbers that begin with 1 only.", group="words")
    start_words: str = _row("start,unstop", "Inbound texts that opt a person in again.", group="words")

    # ---- how long things are kept
    keep_bodies: timedelta = _row(timedelta(days=30), "Raw callbacks.", group="retention")
    keep_reports: timedelta = _row(timedelta(days=90), "Normalised reports.", group="retention")
    keep_decisions: timedelta = _row(timedelta(days=400), "Decisions with their reasons.", group="retention")
    keep_audit: timedelta = _row(
        timedelta(days=1826), "What led to a lift in the trail of a suppression, from the lift on.", group="retention"
    )
    keep_keys: timedelta = _row(timedelta(days=14), "Fingerprints that recognise repeated reports.", group="retention")
    keep_events: timedelta = _row(timedelta(days=30), "Events that were told, to tell them again.", group="retention")

    # ---- running
    sqlite_synchronous: str = _row(
        "FULL",
        "SQLite's synchronous: FULL, or NORMAL: faster, but a power cut can take back the last second of what was "
        "committed: callbacks that were answered, and the note that a resend is leaving, so that it could leave twice.",
        group="running",
    )
    processors: int = _row(
        0,
        "Processes of the worker that decides on callbacks. 0: two, but one on SQLite, which has one writer at a time.",
        group="running",
    )
    log_format: str = _row("auto", "json, console, or auto: console on a terminal.", group="running")
    log_level: str = _row("INFO", "DEBUG, INFO, WARNING or ERROR.", group="running")
    sweep: timedelta = _row(timedelta(seconds=5), "How often lost work is looked for.", group="running")

    @property
    def deciders(self) -> int:
        """How many processes decide on callbacks."""
        return self.processors or (1 if self.database.startswith("sqlite") else 2)

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{(self.state_dir / 'dlr.sqlite').absolute()}"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that `environ` (by default the process's own environment) gives.

    Raises `SettingsError` with every bad variable, not just the first.
    """
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    faults: list[str] = []
    hints = get_type_hints(Settings)
    for row in dataclasses.fields(Settings):
        name = PREFIX + row.name.upper()
        try:
            if hints[row.name] is Secret:
                values[row.name] = Secret.from_environment(name, source)
            elif text := _text(name, source):
                values[row.name] = read(text, hints[row.name])
        except OSError as error:
            faults.append(f"{name}_FILE: {error.filename} cannot be read ({error.strerror})")
        except (ValidationError, ValueError) as error:
            problem = " ".join(error.messages) if isinstance(error, ValidationError) else f"{error}."
            example = row.metadata["example"] or shown(row.default)
            faults.append(f"{name}: {problem} For example: {name}={example}" if example else f"{name}: {problem}")
    known = {f"{PREFIX}{row.name.upper()}{end}" for row in dataclasses.fields(Settings) for end in ("", "_FILE")}
    for name in sorted(source):
        if name.startswith(PREFIX) and name not in known:
            faults.append(f"{name}: there is no such setting. `dlr settings` lists them all")
    if faults:
        raise SettingsError("\n".join(faults))
    return Settings(**values)


def set_for_children(values: Mapping[str, str]) -> None:
    """Give variables to this process and to all that it starts, where nobody sees them on a command line."""
    os.environ.update(values)


def forget_settings() -> None:
    """Let this process, and all that it starts, know nothing of what the operator has set: a demo reaches nobody."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]


def _text(name: str, source: Mapping[str, str]) -> str:
    """Return what a variable says, or the file that `name`_FILE names: URLs hold passwords too."""
    text, file = source.get(name, ""), source.get(f"{name}_FILE", "")
    if text and file:
        raise ValueError(f"both {name} and {name}_FILE are set; leave one of them out")
    return Path(file).read_text("utf-8").strip() if file else text
