"""From the bytes of a body to the raw items in it, whatever the media type."""

import codecs
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import Any, Final
from xml.etree.ElementTree import Element

from infobip.inbound.errors import NotInfobip, NotReadable, UnsupportedMedia
from infobip.inbound.form_body import parse_csv, parse_form, parse_multipart
from infobip.inbound.json_body import parse_json
from infobip.inbound.xml_body import local_name, parse_xml, value_of

_EXPECTED: Final = 'expected {"results": [...]}, XML with <results>, a form, or one event object of Infobip'

# XML roots that belong to one product (INBOUND facts 5.2), and the channel which that proves.
XML_ROOTS: Final[dict[str, str]] = {
    "MmsReportRequest": "mms",
    "RcsWebhookDeliveryReports": "rcs",
    "ZaloReportRequest": "zalo",
    "ncResponse": "number-lookup",
}
# Legacy OneAPI envelopes and the member that holds one thing or a list of them.
ONEAPI: Final[dict[str, str]] = {"deliveryInfoNotification": "deliveryInfo", "terminalRoamingStatusList": "roaming"}
# Leaves that only an item has: a `<results>` with one of them is an item itself, not a list of items.
_ITEM_LEAVES: Final = frozenset({"messageId", "bulkId", "to", "from", "sentAt", "doneAt", "smsCount", "messageCount"})
_CHARSETS: Final = frozenset({"utf-8", "utf-16", "iso8859-1", "cp1252", "ascii"})
_SNIFFED: Final = frozenset({"", "application/octet-stream", "application/x-www-form-urlencoded"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """The raw items of a body. `alone` tells a single object that came without any wrapper."""

    shape: str
    items: list[Any]
    bulk_id: str = ""
    proven: str = ""
    alone: bool = False


def open_envelope(body: bytes, content_type: str) -> Envelope:
    """Return the raw items of `body`; raises `NotReadable`, `NotInfobip` or `UnsupportedMedia`.

    The first character tells JSON and XML from the rest more reliably than the header: voice reports come as
    text/plain, and proxies relabel.
    """
    media, charset = _media(content_type)
    if media == "multipart/form-data":
        return _of_value(parse_multipart(body, content_type))
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if body.startswith(mark):
            body = body.decode("utf-16", errors="replace").encode("utf-8", errors="replace")
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise NotReadable(f"the body is empty: {_EXPECTED}")
    start = body.lstrip()[:1]
    is_text = media.startswith("text/") or media in _SNIFFED
    is_json, is_xml = media.endswith(("/json", "+json")), media.endswith(("/xml", "+xml"))
    if not (is_text or is_json or is_xml):
        raise UnsupportedMedia(f"bodies of type {media[:100]} hold no reports: expected JSON, XML or a form")
    if start == b"<":
        return _of_xml(parse_xml(body))
    if is_json or start in (b"{", b"["):
        return _of_value(parse_json(body, charset))
    if media == "text/csv":
        return _of_value(parse_csv(body.strip()))
    if is_text and b"=" in body:
        return _of_value(parse_form(body.strip()))
    raise NotReadable(f"the body is neither JSON nor XML nor a form: {_EXPECTED}")


@lru_cache(maxsize=64)  # a header that comes with every callback, and takes longer to parse than a report
def _media(content_type: str) -> tuple[str, str]:
    header = Message()
    header["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    media = content_type.partition(";")[0].strip().lower()
    try:
        charset = codecs.lookup(str(header.get_param("charset", "utf-8"))).name
    except (LookupError, ValueError):
        charset = "utf-8"
    return media, charset if charset in _CHARSETS else "utf-8"


def _of_value(value: Any) -> Envelope:
    if isinstance(value, dict):
        if "results" in value:
            return _of_results(value)
        for wrapper, inner in ONEAPI.items():
            notification = value.get(wrapper)
            if isinstance(notification, dict) and isinstance(notification.get(inner), list):
                return Envelope(wrapper, [{wrapper: {**notification, inner: one}} for one in notification[inner]])
        return Envelope("object", [value], alone=True)
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return Envelope("list", value, alone=len(value) == 1)
    raise NotInfobip(f"the body is well-formed, but holds no object: {_EXPECTED}")


def _of_results(value: dict[str, Any]) -> Envelope:
    results, bulk_id = value["results"], value.get("bulkId")
    if isinstance(results, dict) and len(results) == 1:
        (results,) = [inner if isinstance(inner, list) else results for inner in results.values()]
    items = results if isinstance(results, list) else [] if results is None else [results]
    if not isinstance(results, (list, dict, type(None))):
        raise NotInfobip(f"`results` is neither a list nor an object: {_EXPECTED}")
    return Envelope("results", items, bulk_id if isinstance(bulk_id, str) else "")


def _of_xml(root: Element) -> Envelope:
    shape = local_name(root)
    listed = items_of_xml(root)
    if listed is not None:
        bulk_id = next((child.text or "" for child in root if local_name(child) == "bulkId"), "")
        return Envelope(shape, [value_of(item) for item in listed], bulk_id.strip(), XML_ROOTS.get(shape, ""))
    value = value_of(root)
    if not isinstance(value, dict):
        raise NotInfobip(f"<{shape[:40]}> holds no report: {_EXPECTED}")
    envelope = _of_value({shape: value} if shape in ONEAPI else value)
    return Envelope(shape, envelope.items, alone=envelope.alone)


def items_of_xml(root: Element) -> list[Element] | None:
    """Return the elements that are the items of an XML body, in their order, or None where it is no list of items."""
    lists = [child for child in root if local_name(child) == "results"]
    if lists:
        return [item for found in lists for item in ([found] if _is_item(found) else found)]
    return list(root) if local_name(root) == "DeliveryReport" else None


def _is_item(element: Element) -> bool:
    return any(len(child) == 0 and local_name(child) in _ITEM_LEAVES for child in element)
