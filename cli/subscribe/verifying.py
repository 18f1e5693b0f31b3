"""`dlr subscribe verify`: what stands at Infobip, what of it really arrives, and what is missing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select

from cli.findings import ERROR, OK, WARNING, Finding
from cli.moments import shown
from cli.subscribe.evidence import Evidence
from cli.subscribe.ledger import Record
from cli.subscribe.plan import (
    rivalry,
    shown_algorithm,
    shown_secret,
    wrong_profile,
    wrong_subscription,
)
from cli.subscribe.present import Present, ThereOnChannel
from cli.subscribe.proof import Proof
from cli.subscribe.scene import Scene
from cli.subscribe.wishes import Wish, events_of, infobip_algorithm
from config.hmac_keys import CURRENT, MADE, RETIRED
from infobip.outbound.subscription_channels import SUBSCRIBED
from store.database import Database
from store.schema import reports, sends

_CREATE: Final = "Run `dlr subscribe create`: it puts this right."
_RECENT: Final = timedelta(days=30)


def read_back(at: Scene, wishes: list[Wish], proof: Proof, there: Present) -> Iterator[Finding]:
    """Yield what differs from what is to stand at Infobip, and what does not."""
    yield _security(at, there)
    for wish in wishes:
        yield from _channel(at, wish, proof, there.channels[wish.channel.slug])


def _security(at: Scene, there: Present) -> Finding:
    name, record, body = at.names.security, at.record, there.security
    if body is None:
        return Finding(ERROR, "security", f"{name} is not at Infobip", _CREATE)
    if body.get("type") != "HMAC":
        return Finding(ERROR, "security", f"{name} is of type {body.get('type')}, not HMAC", _CREATE)
    right = infobip_algorithm(at.algorithm)
    if (algorithm := shown_algorithm(body)) not in ("", right):
        return Finding(ERROR, "security", f"{name} signs with {algorithm}, and the endpoint checks {right}", _CREATE)
    known = {one.secret: one.state for one in record.secrets}
    if secret := shown_secret(body):
        if secret not in known:
            fix = "If another installation has the same names, give one of them its own with --prefix. " + _CREATE
            return Finding(ERROR, "security", f"{name} has a secret that is not kept here", fix)
        return Finding(OK, "security", f"{name}: HMAC, {right}, with the secret that is kept here ({known[secret]})")
    return Finding(OK, "security", f"{name}: HMAC, {right}; Infobip does not show its secret")


def _channel(at: Scene, wish: Wish, proof: Proof, there: ThereOnChannel) -> Iterator[Finding]:
    slug, name = wish.channel.slug, at.names.channel(wish.channel.slug)
    if there.profile is None or there.subscription is None:
        lacking = "profile" if there.profile is None else "subscription"
        yield Finding(ERROR, slug, f"the {lacking} {name} is not at Infobip", _CREATE)
        return
    wrong = [
        *wrong_profile(at.names, wish, there.profile, proof),
        *wrong_subscription(at.names, wish, there.subscription),
    ]
    if wrong:
        yield Finding(ERROR, slug, f"{name}: {'; '.join(wrong)}", _CREATE)
    else:
        events = ", ".join(events_of(there.subscription))
        yield Finding(OK, slug, f"{name} posts {events} to {proof.masked(wish.url)}")
    for rival in rivalry(wish, there):
        yield Finding(WARNING, slug, rival.partition(": ")[2], "`dlr subscribe show` lists them all.")


def secrets_kept(record: Record, evidence: Evidence | None) -> Iterator[Finding]:
    """Yield what is to be said of the secrets here, and of those that callbacks came with."""
    if record.of(MADE):
        fix = "Run `dlr subscribe rotate` again (or `create`): it goes on from there. Both secrets are accepted."
        yield Finding(WARNING, "secrets", "a new secret is made, and Infobip has not confirmed it", fix)
    if due := record.due(datetime.now(UTC)):
        fix = "Remove it: `dlr subscribe rotate --finish`."
        yield Finding(WARNING, "secrets", f"{len(due)} old secret(s) need not be accepted any longer", fix)
    elif retired := record.of(RETIRED):
        yield Finding(OK, "secrets", f"{len(retired)} old secret(s) still accepted, for repeated callbacks")
    if evidence is None:
        return
    for one in evidence.seen:
        yield Finding(
            OK,
            "callbacks",
            f"{one.count} of the newest signed with the {one.secret.state} secret, the last at {shown(one.at)}",
        )
    if evidence.others:
        fix = "Compare DLR_HMAC_HEADER, _ALGORITHM, _ENCODING and _PREFIX; a refused callback's log line names them."
        said = f"{evidence.others} of the newest carry a signature by none of these secrets"
        yield Finding(WARNING, "callbacks", said, fix)
    if evidence.of(CURRENT) is None and evidence.of(MADE) is None:
        fix = "Send a message without a report URL of its own, and run this again after its report."
        yield Finding(WARNING, "callbacks", "none that Infobip signed with the secret in use has come yet", fix)


def missing(at: Scene, database: Database) -> Iterator[Finding]:
    """Yield the channels that this account lately sent on, or got reports of, without a subscription."""
    since, account = datetime.now(UTC) - _RECENT, at.account.name
    with database.reading() as connection:
        used: set[str] = set()
        for table, moment in ((sends, sends.c.sent_at), (reports, reports.c.received_at)):
            query = select(table.c.channel).distinct().where(table.c.account == account, moment >= since)
            used |= set(connection.execute(query).scalars())
    for slug in sorted(used - set(at.record.channels)):
        if slug in SUBSCRIBED:
            fix = f"If its reports come by no other way: `dlr subscribe create --channel {slug}`."
            yield Finding(WARNING, slug, "in use during the last 30 days, and not subscribed to", fix)
