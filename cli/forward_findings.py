"""What `dlr doctor` finds about the customer's own endpoints."""

from collections.abc import Iterator

from cli.findings import ERROR, OK, WARNING, Finding
from cli.output import counted
from codes import CHANNELS, CodesError, load_codes
from config.accounts import load_accounts
from config.forwarding import Endpoints, load_endpoints
from config.settings import Settings, SettingsError
from policy import PolicyError, load_policy


def own_system(settings: Settings) -> Iterator[Finding]:
    """Look at the files of endpoints and accounts, and whether rules forward to endpoints that there are."""
    try:
        load_accounts(settings)
    except SettingsError as error:
        yield Finding(ERROR, "accounts", str(error), "Correct the file that DLR_ACCOUNTS names: docs/resend.md.")
    try:
        endpoints = load_endpoints(settings.forward, frozenset(CHANNELS))
    except SettingsError as error:
        yield Finding(ERROR, "forward", str(error), "Correct the file that DLR_FORWARD names: docs/forward.md.")
        return
    yield from _nowhere(settings, endpoints)
    if endpoints.by_name:
        yield Finding(OK, "forward", f"{counted(len(endpoints.by_name), 'endpoint')}; `dlr forward list` shows more")


def _nowhere(settings: Settings, endpoints: Endpoints) -> Iterator[Finding]:
    try:
        rules = load_policy(settings.policy, load_codes(settings.codes_local).tables).rules
    except (PolicyError, CodesError, OSError):
        return  # said already
    for name in sorted({rule.forward for rule in rules if rule.forward} - set(endpoints.by_name)):
        names = ", ".join(rule.id for rule in rules if rule.forward == name)
        fix = f"Add [{name}] to the file of DLR_FORWARD, or take `forward` out of {names}."
        yield Finding(WARNING, "forward", f"rules forward to {name!r}, and there is no such endpoint", fix)
