"""Take items out of a callback's body; what stays keeps its bytes.

JSON items and the members around them are copied as they were written, numbers digit by digit; only white space and
commas between them are our own. Of XML nothing but the items themselves goes.
"""

import codecs
from collections.abc import Collection
from typing import Any, Final
from xml.etree.ElementTree import Element
from xml.parsers.expat import ParserCreate

import msgspec

from infobip.inbound.envelope import ONEAPI, items_of_xml, open_envelope
from infobip.inbound.errors import InboundError
from infobip.inbound.xml_body import parse_xml

_LIST: Final = list[msgspec.Raw]
_OBJECT: Final = dict[str, msgspec.Raw]


class Uncuttable(ValueError):
    """Nothing can be taken out of this body such that the rest is sure to stay what it is."""


def without(body: bytes, content_type: str, gone: Collection[int]) -> bytes:
    """Return `body`, which is unpacked, without the items at the places `gone`; some others have to be left.

    The result is read again and compared with the original, item by item. Raises `Uncuttable`: for forms, CSV and
    single objects, and for whatever does not pass that comparison.
    """
    mark = codecs.BOM_UTF8 if body.startswith(codecs.BOM_UTF8) else b""
    content = body[len(mark) :]
    try:
        cut = _cut_xml if content.lstrip().startswith(b"<") else _cut_json
        left = mark + cut(content, frozenset(gone))
        before, after = open_envelope(body, content_type), open_envelope(left, content_type)
    except (InboundError, ValueError, RecursionError) as error:
        raise Uncuttable(str(error)) from error
    wanted = [item for place, item in enumerate(before.items) if place not in gone]
    if after.items != wanted or (after.bulk_id, after.proven) != (before.bulk_id, before.proven):
        raise Uncuttable("what is left would not be read as it was")
    return left


def _cut_json(body: bytes, gone: frozenset[int]) -> bytes:
    if body.lstrip().startswith(b"["):
        return _cut_list(body, gone)
    top: dict[str, Any] = msgspec.json.decode(body, type=_OBJECT)
    if "results" in top:
        return _encode({**top, "results": _raw(_cut_results(bytes(top["results"]), gone))})
    for wrapper, inner in ONEAPI.items():
        if wrapper in top:
            notification = msgspec.json.decode(top[wrapper], type=_OBJECT)
            notification[inner] = _raw(_cut_list(bytes(notification[inner]), gone))
            return _encode({**top, wrapper: notification})
    raise Uncuttable("the body is a single object")


def _cut_results(results: bytes, gone: frozenset[int]) -> bytes:
    if results.startswith(b"["):
        return _cut_list(results, gone)
    members = msgspec.json.decode(results, type=_OBJECT)
    if len(members) != 1:
        raise Uncuttable("`results` is a single object")
    return _encode({name: _raw(_cut_list(bytes(inner), gone)) for name, inner in members.items()})


def _cut_list(items: bytes, gone: frozenset[int]) -> bytes:
    return _encode([item for place, item in enumerate(msgspec.json.decode(items, type=_LIST)) if place not in gone])


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _raw(content: bytes) -> msgspec.Raw:
    return msgspec.Raw(content)


def _cut_xml(body: bytes, gone: frozenset[int]) -> bytes:
    root = parse_xml(body)
    items = items_of_xml(root)
    if items is None:
        raise Uncuttable("the body is no list of items")
    spans = _spans(body.strip(), root)
    left, at = [], 0
    for place in sorted(gone):
        start, end = spans[items[place]]
        if start < at or end <= start:
            raise Uncuttable("an item has no end of its own")
        left.append(body.strip()[at:start])
        at = end
    return b"".join([*left, body.strip()[at:]])


def _spans(body: bytes, root: Element) -> dict[Element, tuple[int, int]]:
    """Return where each element begins and ends, in bytes."""
    starts: list[int] = []
    ends: dict[int, int] = {}
    opened: list[int] = []
    parser = ParserCreate()

    def start(name: str, attributes: Any) -> None:
        opened.append(len(starts))
        starts.append(parser.CurrentByteIndex)

    def end(name: str) -> None:
        number, at = opened.pop(), parser.CurrentByteIndex
        # Of an element without content the end is met behind its only tag, of any other before its end tag.
        single = number == len(starts) - 1 and body.endswith(b"/>", 0, at)
        ends[number] = at if single else body.index(b">", at) + 1

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(body, True)
    # Both parsers meet the elements in the order of the document.
    return {element: (starts[number], ends[number]) for number, element in enumerate(root.iter())}
