"""`dlr subscribe remove`: what is ours at Infobip goes, step by step; what is not ours stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from cli.output import fail
from cli.subscribe.ledger import KeptSecret
from cli.subscribe.making import half_way, take
from cli.subscribe.plan import Step, removal
from cli.subscribe.present import look
from cli.subscribe.scene import Scene, channels_of, chosen
from config.hmac_keys import RETIRED
from infobip.outbound.errors import SubscriptionsRefused
from infobip.outbound.subscription_channels import SUBSCRIBED
from infobip.outbound.subscriptions import PROFILE, SECURITY, SUBSCRIPTION


def prepare(at: Scene, slugs: tuple[str, ...], *, take_over: bool) -> list[Step]:
    """Return what is to be deleted. All channels are looked at: one that was forgotten here may be there still."""
    there = look(at.api, at.names, channels_of(SUBSCRIBED))
    wanted = chosen(slugs, at.record) if slugs else list(SUBSCRIBED)
    left = [slug for slug, now in there.channels.items() if slug not in wanted and (now.subscription or now.profile)]
    names = {slug: SUBSCRIBED[slug].name for slug in wanted}
    steps = removal(at.names, wanted, there, names, last=not left)
    if steps and not take_over and not (at.record.secrets or at.record.channels):
        raise fail(
            f"What bears the name {at.names.security} at Infobip was not made by this installation. If it was, and its "
            "file is lost, --take-over removes it; else leave it to the one that lives on it."
        )
    return steps


def remove(at: Scene, steps: list[Step], slugs: tuple[str, ...], tell: Callable[[str], None]) -> None:
    """Take the steps, and write down after each what is gone."""
    done: list[Step] = []
    for step in steps:
        try:
            take(at, step)
        except SubscriptionsRefused as error:
            raise fail(half_way(step, done, error, "dlr subscribe remove")) from None
        done.append(step)
        tell(f"deleted {step}")
        if step.kind in (PROFILE, SUBSCRIPTION):
            _drop_channels(at, {step.slug})
        elif step.kind == SECURITY:
            _retire(at)
            tell("its secret stays accepted for two days, for callbacks that Infobip repeats")
    forget(at, slugs)


def forget(at: Scene, slugs: tuple[str, ...]) -> None:
    """Write down that these channels, or all, are not set up any more."""
    gone = set(slugs or at.record.channels)
    if gone & set(at.record.channels):
        _drop_channels(at, gone)


def _drop_channels(at: Scene, gone: set[str]) -> None:
    record = at.record
    at.put(replace(record, channels={slug: one for slug, one in record.channels.items() if slug not in gone}))


def _retire(at: Scene) -> None:
    now, record = datetime.now(UTC), at.record
    retired = tuple(one if one.state == RETIRED else KeptSecret(one.secret, RETIRED, now) for one in record.secrets)
    at.put(replace(record, secrets=retired))
