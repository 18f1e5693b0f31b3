"""Infobip accounts: where each one's requests go, with which credential, and how much it may resend.

`main` is described by settings; DLR_ACCOUNTS names a TOML file with a table for each further one, whose keys are the
fields below. What a table leaves out is as for `main`, credentials and base URL aside: those are never shared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import Schema, ValidationError, validate
from marshmallow import fields as shape

from config.endpoints import secret_of, target_of
from config.relays import RelayTarget
from config.secrets import Secret
from config.settings import Settings, SettingsError
from config.toml_files import read_toml

MAIN: Final = "main"
_NO_SECRET: Final = Secret()
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One Infobip account. Of the three kinds of credential, the first that is there is used."""

    name: str
    base_url: str = ""
    key: Secret = _NO_SECRET
    user: str = ""
    password: Secret = _NO_SECRET
    client_id: str = ""
    client_secret: Secret = _NO_SECRET
    report_url: str = ""
    one_account: bool = False
    """The operator's word that every credential which sends through us for this account belongs to it."""
    zone: ZoneInfo = _UTC
    quiet: tuple[time, time] | None = None
    """When nothing is resent, at the recipient: from, until; past midnight where the first is the later."""
    per_recipient_hour: int | None = None
    resends_per_day: int | None = None
    resends_share: float | None = None
    money_per_day: float | None = None
    """What bounds its resends, where that is not as in the policy's `[limits]`, which explain them."""

    resend_url: RelayTarget | None = None
    """The application's own URL, to which resends go whose content is not registered."""
    resend_secret: Secret = _NO_SECRET
    resend_always: bool = False
    """Whether all resends go there."""
    resend_private: bool = False
    """Whether it may be in a private network."""

    @property
    def has_credential(self) -> bool:
        """Whether resends could leave."""
        return any((self.key.values(), self.user and self.password.values(), self.client_secret.values()))


class _AccountSchema(Schema):
    base_url = shape.Url(schemes={"http", "https"}, require_tld=False)
    key, key_file = shape.String(), shape.String()
    user, password, password_file = shape.String(), shape.String(), shape.String()
    client_id, client_secret, client_secret_file = shape.String(), shape.String(), shape.String()
    report_url = shape.Url(schemes={"http", "https"}, require_tld=False)
    one_account = shape.Boolean()
    time_zone, quiet_hours = shape.String(), shape.String()
    per_recipient_hour = shape.Integer(strict=True, validate=validate.Range(min=0, max=5))
    resends_per_day = shape.Integer(strict=True, validate=validate.Range(min=0))
    resends_share = shape.Float(validate=validate.Range(min=0, max=1))
    money_per_day = shape.Float(validate=validate.Range(min=0))
    resend_url, resend_secret, resend_secret_file = shape.String(), shape.String(), shape.String()
    resend_always, resend_private = shape.Boolean(), shape.Boolean()


def load_accounts(settings: Settings) -> Mapping[str, Account]:
    """Return all accounts by name. Raises `SettingsError` with every mistake."""
    main = _main(settings)
    if settings.accounts is None:
        return {MAIN: main}
    tables = read_toml(settings.accounts, "DLR_ACCOUNTS")
    faults: list[str] = []
    found = {MAIN: main}
    for name, table in tables.items():
        try:
            base = main if name == MAIN else _without_credentials(main, name)
            found[name] = _laid_over(base, _AccountSchema().load(table), settings.accounts.parent)
        except ValidationError as error:
            messages = error.messages if isinstance(error.messages, dict) else {"": error.messages}
            faults += [f"[{name}] {field}: {_words(message)}" for field, message in messages.items()]
        except ValueError as error:
            faults.append(f"[{name}] {error}")
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults)
        raise SettingsError(f"DLR_ACCOUNTS: {settings.accounts} has mistakes:{listed}")
    return found


def _main(settings: Settings) -> Account:
    try:
        zone, quiet = _zone(settings.time_zone), _quiet(settings.quiet_hours)
    except ValueError as error:
        raise SettingsError(f"DLR_TIME_ZONE or DLR_QUIET_HOURS: {error}") from None
    return Account(
        name=MAIN,
        base_url=settings.infobip_url.rstrip("/"),
        key=settings.infobip_key,
        user=settings.infobip_user,
        password=settings.infobip_password,
        client_id=settings.infobip_client_id,
        client_secret=settings.infobip_client_secret,
        report_url=settings.infobip_report_url,
        one_account=settings.infobip_one_account,
        zone=zone,
        quiet=quiet,
    )


def _without_credentials(main: Account, name: str) -> Account:
    return replace(
        main,
        name=name,
        base_url="",
        key=_NO_SECRET,
        user="",
        password=_NO_SECRET,
        client_id="",
        client_secret=_NO_SECRET,
        report_url="",
        one_account=False,
        resend_url=None,
        resend_secret=_NO_SECRET,
        resend_always=False,
        resend_private=False,
    )


def _laid_over(base: Account, table: Mapping[str, Any], folder: Path) -> Account:
    values: dict[str, Any] = {name: table[name] for name in _PLAIN if name in table}
    for name in ("key", "password", "client_secret"):
        if name in table:
            values[name] = Secret(table[name])
        elif f"{name}_file" in table:
            values[name] = Secret(path=folder / table[f"{name}_file"])
    if any(name.startswith("resend_") and not name.startswith("resends_") for name in table):
        values |= _resend_url(table, folder)
    if "base_url" in values:
        values["base_url"] = values["base_url"].rstrip("/")
    if "time_zone" in table:
        values["zone"] = _zone(table["time_zone"])
    if "quiet_hours" in table:
        values["quiet"] = _quiet(table["quiet_hours"])
    return replace(base, **values)


_PLAIN: Final = (
    "base_url",
    "user",
    "client_id",
    "report_url",
    "one_account",
    "per_recipient_hour",
    "resends_per_day",
    "resends_share",
    "money_per_day",
    "resend_always",
    "resend_private",
)


def _resend_url(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    if "resend_url" not in table:
        raise ValueError("resend_url: it is missing, and without it the other resend_ keys mean nothing")
    found: dict[str, Any] = {}
    faults = []
    try:
        private = table.get("resend_private", False)
        found["resend_url"] = target_of(table["resend_url"], private=private, key="resend_private")
    except ValueError as error:
        faults.append(f"resend_url: {error}")
    try:
        found["resend_secret"] = secret_of(table, folder, "resend_secret")
    except ValueError as error:
        faults.append(str(error))
    if faults:
        raise ValueError("; ".join(faults))
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"time zone {name!r} is not known; write one like Europe/Vienna") from None


def _quiet(text: str) -> tuple[time, time] | None:
    if text.strip().lower() in ("", "off"):
        return None
    try:
        begin, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise ValueError(f"quiet hours {text!r} cannot be read; write them like 21:00-08:00") from None
    return begin, end


def _words(message: Any) -> str:
    return " ".join(message) if isinstance(message, list) else str(message)
