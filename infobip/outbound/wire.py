"""JSON bodies as trees that keep the text of every number, so that what we do not change stays what it was.

A tree has dicts, lists, texts, booleans, None and `Number`. A price of 1.10 stays 1.10 and an id of thirty digits keeps
them all, because applications and Infobip may compare them as texts.
"""

import json
from collections.abc import Iterator
from typing import Any, Final, Self

import msgspec

MAX_DEPTH: Final = 128
"""Flex messages and flows nest by a dozen; deeper bodies would break whoever serialises them later."""

Path = tuple[str | int, ...]
"""Names of members, and numbers of items."""


class NotJson(ValueError):
    """The bytes are not one JSON value in UTF-8, or nest too deep."""


class Number:
    """A JSON number, by its text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def of(cls, value: int) -> Self:
        """Return a whole number."""
        return cls(str(value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Number({self.text})"


def _raw(value: Any) -> msgspec.Raw:
    if isinstance(value, Number):
        return msgspec.Raw(value.text.encode())
    raise TypeError(type(value).__name__)


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_raw)


def parse(body: bytes) -> Any:
    """Return the tree of a JSON body. Raises `NotJson`. Of duplicate names the last one counts."""
    try:
        tree = json.loads(
            body.removeprefix(b"\xef\xbb\xbf").decode(),
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
        )
        _check_depth(tree)
        if b"\\u" in body:  # half a surrogate pair can be read, but never written as UTF-8
            render(tree)
    except RecursionError:
        raise NotJson("it nests too deep") from None
    except ValueError as error:
        reason = error.args[0] if type(error) is NotJson else "it is not well-formed JSON in UTF-8"
        raise NotJson(reason) from None
    return tree


def render(tree: Any) -> bytes:
    """Return the tree as compact JSON, every number as it was written."""
    return _ENCODER.encode(tree)


def text(value: Any) -> str:
    """Return a text, or a number as text: ids and phone numbers come as both. Anything else is the empty string."""
    if isinstance(value, str):
        return value
    return value.text if isinstance(value, Number) else ""


def whole(value: Any) -> int | None:
    """Return a whole number, also where it was written as text, or None."""
    digits = text(value).strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 18 else None


def members(value: Any) -> dict[str, Any]:
    """Return an object's members; what is no object has none."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return a list's items; what is no list has none."""
    return value if isinstance(value, list) else []


def at(node: Any, path: Path) -> Any:
    """Return what stands at `path`, or None."""
    for step in path:
        if isinstance(step, int):
            node = node[step] if isinstance(node, list) and step < len(node) else None
        else:
            node = members(node).get(step)
    return node


def put(node: Any, path: Path, value: Any) -> Any:
    """Return a copy of `node` with `value` at `path`; objects on the way are made where there are none."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [put(child, rest, value) if place == step else child for place, child in enumerate(items(node))]
    return {**members(node), step: put(members(node).get(step), rest, value)}


def drop(node: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a copy of `node` without the member at `path`, nor objects that hold nothing for that reason."""
    step, rest = path[0], path[1:]
    if step not in node:
        return node
    inner = node[str(step)]
    left = drop(inner, rest) if rest and isinstance(inner, dict) else inner
    if rest and (left is inner or left):
        return {**node, str(step): left}
    return {name: child for name, child in node.items() if name != step}


def _refuse_constant(name: str) -> Any:
    raise NotJson(f"{name} is no JSON")


def _check_depth(tree: Any) -> None:
    level = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise NotJson("it nests too deep")


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from (child for child in node.values() if isinstance(child, (dict, list)))
    elif isinstance(node, list):
        yield from (child for child in node if isinstance(child, (dict, list)))
