"""The difference between what is to stand at Infobip and what does: steps, and what a person should know before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cli.subscribe.ledger import Record
from cli.subscribe.present import Present, Rival, ThereOnChannel, notify_url, without_secrets
from cli.subscribe.proof import Proof
from cli.subscribe.wishes import (
    Body,
    Names,
    Wish,
    events_of,
    infobip_algorithm,
    profile_body,
    security_body,
    subscription_body,
)
from infobip.outbound.subscriptions import PROFILE, SECURITY, SUBSCRIPTION

CREATE, CHANGE, KEEP, DELETE = "create", "change", "keep", "delete"
WORDS: Final[Mapping[str, str]] = {
    SECURITY: "security setting",
    PROFILE: "profile",
    SUBSCRIPTION: "subscription",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One request to be made, or none where all is as it is to be (`keep`). `why` never holds a secret."""

    verb: str
    kind: str
    name: str
    why: str
    slug: str = ""
    channel: str = ""
    """Infobip's name, for subscriptions."""
    body: Body | None = None

    def __str__(self) -> str:
        of = f" for {self.slug}" if self.slug else ""
        return f"{WORDS[self.kind]} {self.name}{of}"

    def __repr__(self) -> str:
        return f"Step({self.verb} {self})"  # the body may hold the secret


def steps_of(
    names: Names, wishes: list[Wish], there: Present, record: Record, proof: Proof, secret: str, algorithm: str
) -> list[Step]:
    """Return all steps in the order in which they have to be taken."""
    found = [_security(names, there.security, record, secret, algorithm)]
    for wish in wishes:
        now = there.channels[wish.channel.slug]
        found.append(_profile(names, wish, now, proof))
        found.append(_subscription(names, wish, now))
    return found


def removal(names: Names, slugs: list[str], there: Present, channels: Mapping[str, str], *, last: bool) -> list[Step]:
    """Return the steps that remove what is ours: subscription before profile, both before the security setting.

    `channels` are Infobip's names by slug; `last` says that no channel of the account is left.
    """
    found: list[Step] = []
    for slug in slugs:
        now, name = there.channels[slug], names.channel(slug)
        if now.subscription is not None:
            found.append(Step(DELETE, SUBSCRIPTION, name, "no more callbacks come by it", slug, channels[slug]))
        if now.profile is not None:
            found.append(Step(DELETE, PROFILE, name, "the URL and its settings", slug))
    if last and there.security is not None:
        found.append(Step(DELETE, SECURITY, names.security, "no profile of ours needs it any more"))
    return found


def rivalry(wish: Wish, there: ThereOnChannel) -> Iterator[str]:
    """Yield what is to be said of others on the channel."""
    if there.untold:
        yield f"{wish.channel.slug}: whether others are subscribed to it cannot be told: {there.untold}."
    for rival in there.rivals:
        shared = [event for event in wish.events if event in rival.events]
        if shared:
            yield _told(wish, rival, shared)


def strangers(names: Names, wishes: list[Wish], there: Present, record: Record) -> Iterator[str]:
    """Yield what bears our names at Infobip although this installation has not made it."""
    if there.security is not None and not record.secrets:
        yield f"the security setting {names.security}"
    for wish in wishes:
        slug, profile = wish.channel.slug, there.channels[wish.channel.slug].profile
        if profile is not None and slug not in record.channels and _host(notify_url(profile)) != _host(wish.url):
            yield f"the profile {names.channel(slug)}, which posts to {_host(notify_url(profile)) or 'nowhere'}"


def shown_secret(security: Body | None) -> str:
    """Return the secret that Infobip has, where it shows it."""
    credentials = (security or {}).get("credentials")
    found = str(credentials.get("secretKey") or "") if isinstance(credentials, dict) else ""
    return "" if "**" in found or "..." in found else found


def shown_algorithm(security: Body | None) -> str:
    """Return Infobip's name of the algorithm, where it shows it."""
    credentials = (security or {}).get("credentials")
    return str(credentials.get("algorithm") or "") if isinstance(credentials, dict) else ""


def _security(names: Names, there: Body | None, record: Record, secret: str, algorithm: str) -> Step:
    body = security_body(secret, algorithm)
    if there is None:
        why = f"HMAC, {infobip_algorithm(algorithm)}, with a secret that is made and kept here"
        return Step(CREATE, SECURITY, names.security, why, body={"authId": names.security, **body})
    wrong = _wrong_security(there, record, secret, algorithm)
    if wrong:
        return Step(CHANGE, SECURITY, names.security, "; ".join(wrong), body=body)
    return Step(KEEP, SECURITY, names.security, "as it is to be")


def _wrong_security(there: Body, record: Record, secret: str, algorithm: str) -> list[str]:
    wrong: list[str] = []
    if there.get("type") != "HMAC":
        wrong.append(f"its type is {there.get('type')}, not HMAC")
    right = infobip_algorithm(algorithm)
    shown = shown_algorithm(there) or infobip_algorithm(record.algorithm or algorithm)
    if shown != right:
        wrong.append(f"its algorithm is {shown}, not {right} (DLR_HMAC_ALGORITHM)")
    if shown_secret(there):
        if shown_secret(there) != secret:
            wrong.append("its secret is not the one that is kept here")
    elif record.newest is None or record.newest.state != "current":
        wrong.append("whether it has the secret that is kept here is not known")
    return wrong


def _profile(names: Names, wish: Wish, there: ThereOnChannel, proof: Proof) -> Step:
    name, slug, now = names.channel(wish.channel.slug), wish.channel.slug, there.profile
    body = profile_body(wish, names, proof.headers, now)
    if now is None:
        why = f"posts to {proof.masked(wish.url)}, signed by {names.security}"
        return Step(CREATE, PROFILE, name, why, slug, body={"profileId": name, **body})
    wrong = wrong_profile(names, wish, now, proof)
    if wrong:
        return Step(CHANGE, PROFILE, name, "; ".join(wrong), slug, body=body)
    return Step(KEEP, PROFILE, name, f"posts to {proof.masked(wish.url)}", slug)


def wrong_profile(names: Names, wish: Wish, there: Body, proof: Proof) -> list[str]:
    """Return what differs, in words without secrets."""
    wrong: list[str] = []
    if (url := notify_url(there)) != wish.url:
        same = proof.masked(url) == proof.masked(wish.url) or _bare(url) == _bare(wish.url)
        shown = "its URL differs in the token only" if same else f"it posts to {_bare(url) or 'nowhere'}"
        wrong.append(f"{shown}, and is to post to {proof.masked(wish.url)}")
    security = there.get("security")
    if not isinstance(security, dict) or security.get("authId") != names.security:
        wrong.append(f"it is not signed by {names.security}")
    headers = there.get("headers")
    headers = headers if isinstance(headers, dict) else {}
    wrong += [f"it lacks the header {name}" for name, value in proof.headers.items() if headers.get(name) != value]
    return wrong


def _subscription(names: Names, wish: Wish, there: ThereOnChannel) -> Step:
    name, slug, now = names.channel(wish.channel.slug), wish.channel.slug, there.subscription
    channel, body = wish.channel.name, subscription_body(wish, names, there.subscription)
    if now is None:
        why = f"events {', '.join(wish.events)} of {channel}"
        return Step(CREATE, SUBSCRIPTION, name, why, slug, channel, {"subscriptionId": name, **body})
    wrong = wrong_subscription(names, wish, now)
    if wrong:
        return Step(CHANGE, SUBSCRIPTION, name, "; ".join(wrong), slug, channel, body)
    return Step(KEEP, SUBSCRIPTION, name, f"events {', '.join(events_of(now))} of {channel}", slug, channel)


def wrong_subscription(names: Names, wish: Wish, there: Body) -> list[str]:
    """Return what differs, in words."""
    lacking = [event for event in wish.events if event not in events_of(there)]
    wrong = [f"it lacks {', '.join(lacking)}"] if lacking else []
    profile = there.get("profile")
    if not isinstance(profile, dict) or profile.get("profileId") != names.channel(wish.channel.slug):
        wrong.append(f"its profile is not {names.channel(wish.channel.slug)}")
    return wrong


def _told(wish: Wish, rival: Rival, shared: list[str]) -> str:
    where = f"posts to {rival.url}" if rival.url else "posts to an address that cannot be told"
    title = f" ({rival.title})" if rival.title else ""
    reach = "for some senders, applications or users only" if rival.narrowed else "for the whole account"
    return (
        f"{wish.channel.slug}: the subscription {rival.name}{title} gets {', '.join(shared)} {reach} and {where}. "
        "Infobip may refuse a second one, or post these events to one of the two only. It is not ours and stays "
        "untouched: remove or narrow it in Infobip's web interface, and have what lives on it fed by DLR_RELAY_URL."
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _bare(url: str) -> str:
    """Return a URL without what may be a token: `https://host/webhook/sms` of any that is longer."""
    scheme, sign, rest = url.partition("://")
    parts = rest.partition("?")[0].split("/")
    if "webhook" not in parts:
        return without_secrets(url)
    parts = parts[: parts.index("webhook") + 2]
    return f"{scheme}://{'/'.join(parts).rpartition('@')[2]}" if sign else ""
