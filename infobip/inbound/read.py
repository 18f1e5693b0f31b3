"""From the bytes of a callback to reports and faults, item by item."""

import logging
from collections.abc import Callable
from typing import Any, Final

from marshmallow import ValidationError

from codes.channels import AUTO, UNKNOWN
from infobip.inbound.classify import UNKNOWN as UNKNOWN_FAMILY
from infobip.inbound.classify import classify
from infobip.inbound.envelope import Envelope, open_envelope
from infobip.inbound.errors import NotInfobip
from infobip.inbound.families import FAMILIES
from infobip.inbound.family import Context, Family, describe
from infobip.inbound.fields import kind_of
from infobip.inbound.reading import Fault, Item, Reading

log = logging.getLogger(__name__)

Load = Callable[[Family, Any], Any]

# Members that only Infobip uses. A lone object that is of no known family, but has one of them, is new, not foreign.
MARKS: Final = frozenset(
    {
        "accountKey",
        "applicationId",
        "bulkId",
        "callbackData",
        "callsConfigurationId",
        "campaignReferenceId",
        "entityId",
        "integrationType",
        "messageId",
        "notificationType",
        "pendingMessageCount",
    }
)


def read(body: bytes, content_type: str, channel: str, *, account: str = "main") -> Reading:
    """Return all items of a callback: reports of those that could be read, faults of the others.

    `body` is decompressed and within limits, `content_type` the header as it came (possibly empty), `channel` the
    slug from the URL, one of `codes.channels.CHANNELS`.

    Raises an `InboundError` where the whole body holds nothing for us. A bad item never does: it becomes a `Fault`.
    """
    return read_with(Family.load, body, content_type, channel, account)


def read_with(load: Load, body: bytes, content_type: str, channel: str, account: str) -> Reading:
    """Do as `read` does, with `load` to validate an item: tests compare `Family.load` with `Family.load_exactly`."""
    envelope = open_envelope(body, content_type)
    if channel in (AUTO, UNKNOWN) and envelope.proven:
        channel = envelope.proven
    if envelope.alone:
        _refuse_foreign(envelope, channel)
    context = Context(account, channel, envelope.bulk_id)
    items: list[Item] = []
    faults: list[Fault] = []
    for index, raw in enumerate(envelope.items):
        outcome = _read_item(load, index, raw, context)
        if type(outcome) is Item:
            items.append(outcome)
        elif type(outcome) is Fault:
            faults.append(outcome)
    return Reading(tuple(items), tuple(faults), len(envelope.items), envelope.shape)


def _read_item(load: Load, index: int, raw: Any, context: Context) -> Item | Fault:
    if type(raw) is not dict or not raw:
        found = "an empty object" if type(raw) is dict else kind_of(raw)
        return Fault(index, f"item {index}: expected an object with members, found {found}", raw, UNKNOWN_FAMILY)
    name = UNKNOWN_FAMILY
    try:
        name = classify(raw, context.channel)
        family = FAMILIES[name]
        return Item(index, family.to_report(load(family, raw), raw, context))
    except ValidationError as error:
        return Fault(index, f"item {index}, read as {name}: {describe(error)}", raw, name)
    except Exception as error:  # our own mistake with one item must not cost its neighbours: it is kept and shown
        log.exception("an item of a callback could not be read", extra={"family": name, "index": index})
        return Fault(index, f"item {index}, read as {name}: {type(error).__name__} in our own code", raw, name)


def _refuse_foreign(envelope: Envelope, channel: str) -> None:
    """Raise `NotInfobip` if the only object of a body has neither a known shape nor any mark of Infobip."""
    raw = envelope.items[0]
    if isinstance(raw, dict) and MARKS.isdisjoint(raw) and classify(raw, channel) == UNKNOWN_FAMILY:
        raise NotInfobip(
            "the object has none of the members by which Infobip's reports and events are known: expected "
            '{"results": [...]} or one event object with, for instance, messageId or bulkId'
        )
