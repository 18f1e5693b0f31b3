"""JSON bodies. The ordinary one is decoded by msgspec; what is unusual but harmless is still read."""

import json
import re
from math import isfinite
from typing import Any, Final

import msgspec

from infobip.inbound.errors import NotReadable, TooDeep
from infobip.inbound.limits import MAX_DEPTH, check_depth, check_json_depth

_LONGEST_NUMBER: Final = 40
# Characters that the database or UTF-8 refuses: NUL and halves of a surrogate pair.
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


def parse_json(body: bytes, charset: str = "utf-8") -> Any:
    """Return the value of a JSON body (UTF-8 without BOM unless `charset` says otherwise).

    Raises `NotReadable`, or `TooDeep` beyond `MAX_DEPTH` levels. Of duplicate keys the last one counts. Not-a-number,
    infinities and absurdly long numbers become text; NUL and lone surrogates become U+FFFD.
    """
    try:
        if b"\\u0000" not in body:
            value = msgspec.json.decode(body)
            check_json_depth(body, value)
            return value
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # the lenient decoder below has the last word
    except RecursionError:
        raise TooDeep(f"the JSON body nests deeper than {MAX_DEPTH} levels") from None
    try:
        value = json.loads(
            body.decode(charset, errors="replace"),
            parse_constant=str,
            parse_float=_float,
            parse_int=_int,
        )
        check_depth(value)
        return storable(value)
    except RecursionError:
        raise TooDeep(f"the JSON body nests deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotReadable(f"the body was taken for JSON, but is not well-formed{where}") from None


def storable(value: Any) -> Any:
    """Return `value` with every text such that UTF-8 and databases accept it."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [storable(child) for child in value]
    if isinstance(value, dict):
        return {storable(name): storable(child) for name, child in value.items()}
    return value


def _float(text: str) -> float | str:
    number = float(text)
    return number if isfinite(number) else text[:_LONGEST_NUMBER]


def _int(text: str) -> int | str:
    # Python itself refuses to read integers of more than 4300 digits.
    return int(text) if len(text) <= _LONGEST_NUMBER else text
