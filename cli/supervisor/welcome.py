"""What `dlr up` says when all is ready: the URL for Infobip, and a report to try it with."""

import base64
import hmac
import json
import secrets
import shlex
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from cli.supervisor.probe import reachable, split_address
from config.hmac_keys import HmacKeys
from config.settings import Settings

_HIDDEN: Final = "YOUR_SECRET"


def welcome(settings: Settings, token: str, *, show_secrets: bool) -> str:
    """Return the whole text. `token` is the URL token in force, or empty where none is asked for.

    Secrets that the operator chose stay out of what may be a log file: `show_secrets` says that it is a terminal.
    """
    checks = cheapest_checks(settings)
    if settings.url_token and not show_secrets:
        token = _HIDDEN
    suffix = f"/{quote(token, safe='')}" if "token" in checks and token else ""
    sample = f"sample-{secrets.token_hex(4)}"
    body = json.dumps(sample_report(sample, datetime.now(UTC)), separators=(",", ":"))
    command = ["curl", "-sS", "-H", "Content-Type: application/json", *_proof(settings, checks, body, show_secrets)]
    command += ["-d", body, f"{_local_url(settings)}/webhook/sms{suffix}"]
    return "\n".join(
        (
            "",
            *_address_lines(settings, suffix),
            "",
            "Try it with a report of your own:",
            f"  {shlex.join(command)}",
            "and look at what became of it:",
            f"  {state(settings)}{program()} message {sample}",
            "",
        )
    )


def cheapest_checks(settings: Settings) -> frozenset[str]:
    """Return the smallest set of checks that lets a callback in."""
    named = (one.split("+") for one in settings.auth.split(",") if one.strip())
    sets = [frozenset(name.strip().lower() for name in one) for one in named]
    if sets:
        return min(sets, key=len)
    given = {
        "token": bool(settings.url_token) or bool(settings.account_tokens),
        "basic": bool(settings.basic_password),
        "header": bool(settings.header_value),
        "network": bool(settings.networks.strip()),
        "hmac": bool(settings.hmac_secret),
    }
    chosen = frozenset(name for name, is_set in given.items() if is_set)
    return chosen or frozenset(() if settings.allow_unauthenticated else ("token",))


def sample_report(message: str, now: datetime) -> dict[str, object]:
    """Return a delivery report of an SMS to a number that nobody has (set aside for drama by Ofcom)."""
    return {
        "results": [
            {
                "messageId": message,
                "to": "447700900123",
                "sentAt": _moment(now - timedelta(seconds=4)),
                "doneAt": _moment(now),
                "messageCount": 1,
                "mccMnc": "23410",
                "status": {
                    "groupId": 2,
                    "groupName": "UNDELIVERABLE",
                    "id": 9,
                    "name": "UNDELIVERABLE_NOT_DELIVERED",
                    "description": "Message sent not delivered",
                },
                "error": {
                    "groupId": 1,
                    "groupName": "HANDSET_ERRORS",
                    "id": 1,
                    "name": "EC_UNKNOWN_SUBSCRIBER",
                    "description": "Unknown subscriber",
                    "permanent": True,
                },
            }
        ]
    }


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def _address_lines(settings: Settings, suffix: str) -> tuple[str, ...]:
    # The channel is in the URL since most reports do not say it themselves.
    if settings.public_url:
        url = f"{settings.public_url.rstrip('/')}/webhook/sms{suffix}"
        return ("Ready. The URL to give Infobip for SMS reports; other channels have their own name in it:", f"  {url}")
    return (
        "Ready. The URL for SMS reports; other channels have their own name in it:",
        f"  {_local_url(settings)}/webhook/sms{suffix}",
        "Only this machine can reach it. Set DLR_PUBLIC_URL to the HTTPS address by which Infobip shall come.",
    )


def _local_url(settings: Settings) -> str:
    host, port = split_address(settings.web_bind)
    host = reachable(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _proof(settings: Settings, checks: frozenset[str], body: str, show_secrets: bool) -> list[str]:
    proof: list[str] = []
    if "basic" in checks:
        password = settings.basic_password.values()[:1] if show_secrets else (_HIDDEN,)
        proof += ["-u", f"{settings.basic_user}:{''.join(password)}"]
    if "header" in checks:
        value = settings.header_value.values()[:1] if show_secrets else (_HIDDEN,)
        proof += ["-H", f"{settings.header_name}: {''.join(value)}"]
    if "hmac" in checks:
        proof += ["-H", f"{settings.hmac_header}: {settings.hmac_prefix}{_signature(settings, body)}"]
    return proof


def _signature(settings: Settings, body: str) -> str:
    key = "".join(HmacKeys(settings).values()[:1]).encode()
    digest = hmac.digest(key, body.encode(), settings.hmac_algorithm.lower())
    if settings.hmac_encoding.lower() == "hex":
        return digest.hex()
    encode = base64.b64encode if settings.hmac_encoding.lower() == "base64" else base64.urlsafe_b64encode
    return encode(digest).decode("ascii")


def state(settings: Settings) -> str:
    """Return the variable without which another shell would look into another folder."""
    default = Settings().state_dir
    return "" if settings.state_dir == default else f"DLR_STATE_DIR={shlex.quote(from_here(settings.state_dir))} "


def program() -> str:
    """Return how this environment's `dlr` is called from the folder that this was started in."""
    beside = Path(sys.executable).parent / "dlr"
    if shutil.which("dlr") == str(beside):
        return "dlr"
    if not beside.exists():
        return f"{shlex.quote(sys.executable)} -m cli.main"
    return shlex.quote(from_here(beside))


def from_here(path: Path) -> str:
    """Return a path as short as it can be written in the folder that this was started in."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
