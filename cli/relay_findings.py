"""What `dlr doctor` says of callbacks that are passed on."""

from collections.abc import Iterator

from cli.findings import OK, WARNING, Finding
from codes import CodesError, load_codes
from config.settings import Settings
from policy import Mode, PolicyError, load_policy


def cut_callbacks(settings: Settings) -> Iterator[Finding]:
    """Look at whether callbacks out of which a report on a resend is taken can be signed anew."""
    if not settings.relay_url:
        return
    try:
        rules = load_policy(settings.policy, load_codes(settings.codes_local).tables)
    except (PolicyError, CodesError, OSError):
        return  # said already
    if rules.modes["retry"] is not Mode.ACT:
        return  # without resends every callback passes byte for byte, with its signature
    if settings.hmac_secret.values():
        yield Finding(OK, "relay", "callbacks out of which a report on a resend is taken are signed anew")
        return
    yield Finding(
        WARNING,
        "relay",
        "callbacks out of which a report on a resend is taken go on unsigned: only Infobip knows a secret",
        "Where your handler verifies signatures, set DLR_HMAC_SECRET to the secret that Infobip has (docs/relay.md).",
    )
