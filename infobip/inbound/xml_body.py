"""XML bodies: as plain values of the same form as JSON's, so that one schema serves both."""

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from infobip.inbound.errors import NotReadable, TooDeep
from infobip.inbound.limits import MAX_DEPTH


def parse_xml(body: bytes) -> Element:
    """Return the root of an XML body without DTD; raises `NotReadable`."""
    try:
        root: Element = fromstring(body.strip(), forbid_dtd=True)
    except DefusedXmlException:
        raise NotReadable("the XML body holds a DTD or entities, which no report needs") from None
    except (ParseError, ValueError, LookupError) as error:
        where = " at line {}, column {}".format(*error.position) if isinstance(error, ParseError) else ""
        raise NotReadable(f"the body was taken for XML, but is not well-formed{where}") from None
    return root


def local_name(element: Element) -> str:
    """Return an element's name without namespace."""
    return element.tag.rpartition("}")[2]


def value_of(element: Element, depth: int = 0) -> Any:
    """Return an element as text, as a dict of its attributes and children, or as None where it is empty.

    Of repeated text elements the last one counts, as with JSON (the published example of an old voice report has two
    `sentAt`); repeated objects become a list. Raises `TooDeep`.
    """
    if depth > MAX_DEPTH:
        raise TooDeep(f"the XML body nests deeper than {MAX_DEPTH} levels")
    members: dict[str, Any] = {name.rpartition("}")[2]: text for name, text in element.attrib.items()}
    for child in element:
        name, value = local_name(child), value_of(child, depth + 1)
        before = members.get(name)
        if isinstance(value, dict) and isinstance(before, (dict, list)):
            members[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            members[name] = value
    if members:
        return members
    return (element.text or "").strip() or None
