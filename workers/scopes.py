"""Which scopes a message belongs to: what a pause holds back, named in one way by whoever pauses and whoever asks."""

from collections.abc import Collection

from reports import Report, mail_domain
from store.pauses import ALL, Scope


def scopes(*, network: str, sender: str, brand: str, domain: str) -> list[Scope]:
    """Return every scope of a message, the widest first. `brand` is its campaign or application; else its sender is.

    A brand's quota is one carrier's (T-Mobile counts per brand), so the network belongs to it.
    """
    found = [Scope(ALL), Scope("account")]
    found += [Scope("network", network)] if network else []
    found += [Scope("sender", sender)] if sender else []
    found += [Scope("domain", domain)] if domain else []
    name = brand or sender
    found += [Scope("brand", f"{name} {network}".strip())] if name else []
    return found


def paused_by(report: Report, kinds: Collection[str]) -> list[Scope]:
    """Return the scopes of these kinds that a report's message belongs to."""
    mine = scopes(
        network=report.mcc_mnc,
        sender=report.sender,
        brand=report.campaign or report.application,
        domain=mail_domain(report.recipient),
    )
    return [scope for scope in mine if scope.kind in kinds]
