"""The commands of `dlr subscribe`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from cli.asking import confirm
from cli.doctor import print_findings
from cli.findings import ERROR, Finding
from cli.groups import Naming
from cli.output import counted, fail, format_option, print_json, print_nothing, print_table
from cli.stored import missing_file, told
from cli.subscribe import listing, making, removing, rotation, verifying
from cli.subscribe.evidence import Evidence, gather
from cli.subscribe.present import look
from cli.subscribe.probe import probe
from cli.subscribe.scene import Scene, channels_of, check_channels, chosen, scene
from config.accounts import MAIN
from config.settings import Settings
from infobip.outbound.subscription_channels import SUBSCRIBED
from store.database import Database, open_database
from store.errors import StoreError
from store.vault import open_vault

_account = click.option("--account", default=MAIN, show_default=True, help="The account at Infobip.")
_channels = click.option("--channel", "slugs", multiple=True, metavar="NAME", help="Such as sms; may be repeated.")
_prefix = click.option(
    "--prefix", default="", help="How the names of what is made begin; dlr unless you say otherwise."
)
_url = click.option("--url", default="", help="Where Infobip reaches this service, instead of DLR_PUBLIC_URL.")
_inbound = click.option("--inbound", is_flag=True, help="Also what people write: opt-out words come so.")
_tracking = click.option("--tracking", is_flag=True, help="Also clicks and openings.")
_unproven = click.option("--unproven", is_flag=True, help="Go on although a signed sample does not come through.")
_take_over = click.option("--take-over", is_flag=True, help="Also what bears our names and was not made here.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group(cls=Naming)
def subscribe() -> None:
    """Have Infobip post signed callbacks to this service, by its Subscriptions API."""


@subscribe.command()
@_account
@_channels
@_url
@_inbound
@_tracking
@_prefix
@format_option
def plan(account: str, slugs: tuple[str, ...], url: str, inbound: bool, tracking: bool, prefix: str, form: str) -> None:
    """Show what `create` would do, and change nothing."""
    check_channels(slugs)
    with scene(account, prefix) as at:
        found = making.prepare(at, chosen(slugs, at.record), url, inbound=inbound, tracking=tracking)
    if form == "json":
        print_json(making.plain(found))
        return
    making.show(found)
    click.echo(f"{making.told(found)}; `dlr subscribe create` makes them." if found.open else "All is as it is to be.")


@subscribe.command()
@_account
@_channels
@_url
@_inbound
@_tracking
@_prefix
@_take_over
@_unproven
@_yes
def create(
    account: str,
    slugs: tuple[str, ...],
    url: str,
    inbound: bool,
    tracking: bool,
    prefix: str,
    take_over: bool,
    unproven: bool,
    yes: bool,
) -> None:
    """Make what is missing at Infobip and repair what differs. Repeating it does no harm.

    A security setting for the account, and for each channel a profile and a subscription. Without --channel, the
    channels of earlier runs. What is not ours is never touched.
    """
    check_channels(slugs)
    with scene(account, prefix) as at, at.ledger.locked():
        found = making.prepare(at, chosen(slugs, at.record), url, inbound=inbound, tracking=tracking)
        making.show(found)
        if found.strangers and not take_over:
            raise fail(
                f"Not made by this installation: {', and '.join(found.strangers)}. If another one lives on it, choose "
                "another --prefix; if it was this one's, --take-over gives it a new secret. Nothing was changed."
            )
        if found.open and not yes:
            confirm(f"Make {making.told(found)}?")
        with _database(at.settings) as database:
            making.make(at, found, _say, _prober(at, database, url), unproven=unproven)
    click.echo("Done. See that it works: `dlr subscribe verify`." if found.open else "All is as it is to be.")


@subscribe.command()
@_account
@_channels
@format_option
def show(account: str, slugs: tuple[str, ...], form: str) -> None:
    """List the subscriptions at Infobip: ours, and others on the same channels."""
    check_channels(slugs)
    with scene(account) as at:
        wanted = chosen(slugs, at.record) if slugs else list(SUBSCRIBED)
        found = listing.listed(at, look(at.api, at.names, channels_of(wanted)))
    if form == "json":
        print_json([one.plain() for one in found])
    elif found:
        headers = ("channel", "id", "ours", "events", "posts to", "note")
        print_table(headers, [(one.channel, one.name, one.ours, one.events, one.url, one.note) for one in found])
    else:
        print_nothing("Nothing is subscribed to. `dlr subscribe create --channel sms` does that.")


@subscribe.command()
@_account
@_url
@click.option("--no-sample", is_flag=True, help="Post no sample through the address that Infobip has.")
@format_option
def verify(account: str, url: str, no_sample: bool, form: str) -> None:
    """Read back what stands at Infobip, post a signed sample as Infobip would, and say what is missing.

    Ends with 1 where something is wrong.
    """
    with scene(account) as at:
        found = list(_verified(at, url, sample=not no_sample))
    wrong = sum(finding.severity == ERROR for finding in found)
    if form == "json":
        print_json([finding._asdict() for finding in found])
    else:
        print_findings(found)
        click.echo(f"{counted(wrong, 'error')}.", err=True)
    if wrong:
        sys.exit(1)


@subscribe.command()
@_account
@_url
@click.option("--finish", is_flag=True, help="Remove the old secret, two days after the change.")
@click.option("--now", is_flag=True, help="With --finish: remove it at once, as when it has leaked.")
@_unproven
@_yes
def rotate(account: str, url: str, finish: bool, now: bool, unproven: bool, yes: bool) -> None:
    """Give Infobip another secret. No callback is refused meanwhile, wherever it is broken off: repeat it then."""
    if now and not finish:
        raise fail("--now goes with --finish.", 2)
    with scene(account) as at, at.ledger.locked():
        if finish:
            _finish(at, now=now, yes=yes)
            return
        if not yes:
            confirm(f"Give Infobip a new secret for {at.names.security}?")
        with _database(at.settings) as database:
            rotation.Rotation(at, _say, _prober(at, database, url)).run(unproven=unproven)
    click.echo("Done.")


@subscribe.command()
@_account
@_channels
@_prefix
@_take_over
@_yes
def remove(account: str, slugs: tuple[str, ...], prefix: str, take_over: bool, yes: bool) -> None:
    """Remove what is ours at Infobip: of these channels, or all of it."""
    check_channels(slugs)
    with scene(account, prefix) as at, at.ledger.locked():
        steps = removing.prepare(at, slugs, take_over=take_over)
        if not steps:
            removing.forget(at, slugs)
            click.echo("There is nothing of ours at Infobip.")
            return
        for step in steps:
            click.echo(f"- delete {step}: {step.why}")
        if not yes:
            confirm(f"Make {counted(len(steps), 'deletion')} at Infobip?")
        removing.remove(at, steps, slugs, _say)
    click.echo("Done.")


def _say(text: str) -> None:
    click.echo(f"  {text}")
    sys.stdout.flush()


def _finish(at: Scene, *, now: bool, yes: bool) -> None:
    with _database(at.settings) as database:
        gone = rotation.finish(at, _evidence(at, database), now=now)
    if not yes:
        confirm(f"Remove {counted(len(gone), 'old secret')}?")
    at.put(at.record.without(tuple(gone)))
    click.echo(f"{counted(len(gone), 'old secret')} removed; the endpoint refuses it from now on.")


def _verified(at: Scene, url: str, *, sample: bool) -> Iterator[Finding]:
    record, proof = at.record, at.proof()
    slugs = chosen((), record)
    wishes = at.wishes(slugs, url, proof, inbound=False, tracking=False)
    yield from verifying.read_back(at, wishes, proof, look(at.api, at.names, channels_of(slugs)))
    with _database(at.settings) as database:
        yield from verifying.secrets_kept(record, _evidence(at, database))
        if database is None:
            yield Finding("warning", "sample", "there is no database here to find a sample in", "Run it on the host.")
            return
        if sample and record.newest is not None:
            yield probe(at.settings, database, proof, proof.url(at.base(url), "sms"), record.newest.secret)
        yield from verifying.missing(at, database)
    for note in proof.notes:
        yield Finding("warning" if not proof.signed else "ok", "auth", note)


def _prober(at: Scene, database: Database | None, url: str) -> making.Probe | None:
    proof = at.proof()
    if database is None:
        return None
    target = proof.url(at.base(url), "sms")
    return lambda secret: probe(at.settings, database, proof, target, secret)


def _evidence(at: Scene, database: Database | None) -> Evidence | None:
    if database is None:
        return None
    try:
        vault = open_vault(at.settings.state_dir, database)
        return gather(at.settings, database, vault, at.account.name, at.record.secrets)
    except StoreError as error:
        raise fail(told(error)) from None


@contextmanager
def _database(settings: Settings) -> Iterator[Database | None]:
    """Open the database where there is one: setting up at Infobip does not hang on it."""
    if missing_file(settings):
        yield None
        return
    database = open_database(settings.database, synchronous=settings.sqlite_synchronous)
    try:
        yield database
    finally:
        database.close()
