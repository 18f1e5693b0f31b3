"""How deep a body may nest. Deeper ones would break whoever serialises them later."""

from typing import Any, Final

from infobip.inbound.errors import TooDeep

MAX_DEPTH: Final = 64
"""Infobip's deepest documented payload has seven levels."""

_NO_BRACKETS: Final = bytes(sorted(set(range(256)) - set(b"{}[]")))
# Levels that are peeled off the brackets before the parsed value itself is measured.
_PEEL: Final = 12


def check_json_depth(body: bytes, value: Any) -> None:
    """Raise `TooDeep` if `value`, parsed from `body`, nests too deep.

    Peeling matched brackets off the bytes settles ordinary bodies at a tenth of the cost of walking the value;
    brackets inside texts can only make it undecided, never wrongly content.
    """
    brackets = body.translate(None, _NO_BRACKETS)
    for _ in range(_PEEL):
        if not brackets:
            return
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    check_depth(value)


def check_depth(value: Any) -> None:
    """Raise `TooDeep` if lists and objects in `value` nest deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return
    raise TooDeep(f"the body nests deeper than {MAX_DEPTH} levels")
