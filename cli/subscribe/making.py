"""`dlr subscribe plan` and `create`: from what stands at Infobip to what is to stand there, step by step."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import click

from cli.findings import ERROR, Finding
from cli.output import counted, fail
from cli.subscribe.ledger import KeptChannel, Record
from cli.subscribe.plan import CHANGE, CREATE, DELETE, KEEP, Step, rivalry, steps_of, strangers
from cli.subscribe.present import Present, look
from cli.subscribe.proof import Proof
from cli.subscribe.scene import Scene, channels_of
from cli.subscribe.wishes import Wish, digest
from cli.terminal import say
from infobip.outbound.errors import SubscriptionsRefused
from infobip.outbound.subscriptions import PROFILE, SECURITY, SUBSCRIPTION

PRECEDENCE = (
    "A report URL in a send of its own (notifyUrl, webhooks.delivery.url) takes precedence over any subscription for "
    "that message: its reports come by that URL, unsigned."
)
Probe = Callable[[str], Finding]
"""Posts a sample that is signed with a secret."""
_MARKS = {CREATE: "+", KEEP: "=", CHANGE: "~", DELETE: "-"}


@dataclass(frozen=True, slots=True)
class Making:
    """All that is to be done, and what to say before."""

    wishes: list[Wish]
    proof: Proof
    there: Present
    record: Record
    steps: list[Step]
    warnings: list[str]
    strangers: list[str]

    @property
    def open(self) -> list[Step]:
        """The steps that change something."""
        return [step for step in self.steps if step.verb != KEEP]


def prepare(at: Scene, slugs: list[str], url: str, *, inbound: bool, tracking: bool) -> Making:
    """Look at Infobip and return what is to be done. Changes nothing. Raises `SubscriptionsRefused`."""
    proof = at.proof()
    wishes = at.wishes(slugs, url, proof, inbound=inbound, tracking=tracking)
    there = look(at.api, at.names, channels_of(slugs))
    record = at.record if at.record.newest is not None else at.record.with_new(datetime.now(UTC))
    assert record.newest is not None
    steps = steps_of(at.names, wishes, there, at.record, proof, record.newest.secret, at.algorithm)
    warnings = [told for wish in wishes for told in rivalry(wish, there.channels[wish.channel.slug])]
    if at.base(url).startswith("http://"):
        warnings.append("The address is not https: people's addresses cross the net in clear.")
    return Making(wishes, proof, there, record, steps, warnings, list(strangers(at.names, wishes, there, at.record)))


def show(making: Making) -> None:
    """Print steps and warnings."""
    for step in making.steps:
        say(f"{step.verb} {step}: {step.why}", 4, f"{_MARKS[step.verb]} ")
    for warning in making.warnings:
        say(warning, 2, click.style("! ", fg="yellow"), err=True)
    for note in (*making.proof.notes, *((PRECEDENCE,) if making.open else ())):
        say(note, 2, "i ", err=True)


def plain(making: Making) -> dict[str, Any]:
    """Return it for programs."""
    return {
        "steps": [
            {"do": step.verb, "kind": step.kind, "id": step.name, "channel": step.slug, "why": step.why}
            for step in making.steps
        ],
        "warnings": making.warnings,
        "notes": [*making.proof.notes, PRECEDENCE],
        "not_made_here": making.strangers,
        "auth": " + ".join(making.proof.checks),
    }


def make(at: Scene, making: Making, tell: Callable[[str], None], probe: Probe | None, *, unproven: bool) -> None:
    """Take the steps. What was done is written down after each, so that the same command goes on from there."""
    record = replace(making.record, prefix=at.names.prefix, algorithm=at.algorithm)
    at.put(record)  # before Infobip has the secret, the endpoint accepts it
    if making.open and making.proof.signed:
        _prove(making, record, tell, probe, unproven=unproven)
    done: list[Step] = []
    for step in making.steps:
        if step.verb != KEEP:
            try:
                take(at, step)
            except SubscriptionsRefused as error:
                raise fail(half_way(step, done, error, "dlr subscribe create")) from None
            done.append(step)
            tell(f"{step.verb}d {step}")
        record = _noted(record, step, making.wishes)
        at.put(record)


def _prove(making: Making, record: Record, tell: Callable[[str], None], probe: Probe | None, *, unproven: bool) -> None:
    """See that signed callbacks get in, before a URL loses its token or the secret becomes another."""
    assert record.newest is not None
    found = probe(record.newest.secret) if probe is not None else None
    if found is None:
        tell("no sample is posted: there is no database here to find it in")
    elif found.severity != ERROR:
        tell(f"a signed sample: {found.message}")
    elif unproven or not any(step.verb == CHANGE and step.kind in (PROFILE, SECURITY) for step in making.steps):
        tell(f"a signed sample did not come through: {found.message}. {found.fix}")
    else:
        raise fail(
            f"The endpoint does not let a signed sample in: {found.message}. {found.fix} Nothing was changed at "
            "Infobip, whose callbacks go on as before. Restart the endpoint if DLR_AUTH has changed, then run this "
            "again; --unproven goes on without the sample."
        )


def take(at: Scene, step: Step) -> None:
    """Take one step. Raises `SubscriptionsRefused`."""
    if step.verb == DELETE:
        at.api.delete(step.kind, step.name, step.channel)
        return
    assert step.body is not None
    (at.api.create if step.verb == CREATE else at.api.replace)(step.kind, step.name, step.body, step.channel)


def half_way(step: Step, done: list[Step], error: SubscriptionsRefused, command: str) -> str:
    """Return what a person needs who has half of it: what failed, what exists, and what repeating does."""
    before = f"Done before it: {', '.join(map(str, done))}." if done else "Nothing was changed before it."
    state = "It may have been done all the same." if error.open_outcome else "It was not done."
    return (
        f"Could not {step.verb} the {step}: {error}. {state} {before} {error.next_step} "
        f"`{command}` may be repeated at any time: it looks at what is there, and does what is left."
    )


def _noted(record: Record, step: Step, wishes: list[Wish]) -> Record:
    if step.kind == SECURITY:
        return record.given(datetime.now(UTC))
    if step.kind != SUBSCRIPTION:
        return record
    (wish,) = (wish for wish in wishes if wish.channel.slug == step.slug)
    kept = KeptChannel(wish.inbound, wish.tracking, digest(wish.url))
    return replace(record, channels={**record.channels, step.slug: kept})


def told(making: Making) -> str:
    """Return how much there is to do."""
    return counted(len(making.open), "change") + " at Infobip"
