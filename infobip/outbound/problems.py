"""Infobip's error bodies, in four shapes (OUTBOUND 2). A shape that nobody has seen gives an empty problem."""

from dataclasses import dataclass
from typing import Any, Final

from config.mask import mask_text
from infobip.outbound.wire import NotJson, at, items, members, parse, text

_LONGEST: Final = 300
_LONGEST_CODE: Final = 60
_MOST_DETAILS: Final = 3
_LONGEST_BODY: Final = 65_536


@dataclass(frozen=True, slots=True)
class Problem:
    """Infobip's own code and text, addresses masked; empty where the body tells nothing."""

    code: str = ""
    text: str = ""


def read_problem(body: bytes) -> Problem:
    """Return what an error body says. Never raises."""
    try:
        top = members(parse(body[:_LONGEST_BODY]))
    except NotJson:
        return Problem()
    old = members(at(top, ("requestError", "serviceException")))
    if old:
        code, said, details = text(old.get("messageId")), text(old.get("text")), _legacy_details(old)
    elif "errorCode" in top:
        code = text(top["errorCode"])
        said = text(top.get("description")) or text(top.get("errorMessage"))
        details = _new_details(top)
    else:
        code, said, details = text(top.get("status")), text(top.get("title")), []
    words = ": ".join(part for part in (said, "; ".join(details[:_MOST_DETAILS])) if part)
    return Problem(mask_text(_line(code))[:_LONGEST_CODE], mask_text(_line(words))[:_LONGEST])


def _new_details(top: dict[str, Any]) -> list[str]:
    found = [members(one) for one in items(top.get("violations"))]
    return [f"{text(one.get('property'))} {text(one.get('violation'))}".strip() for one in found if one]


def _legacy_details(old: dict[str, Any]) -> list[str]:
    found = members(old.get("validationErrors"))
    return [
        f"{name} {text(faults[0])}".strip() for name, faults in found.items() if isinstance(faults, list) and faults
    ]


def _line(words: str) -> str:
    """Return one line that can be printed and logged."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
