"""What reading one callback body gives."""

from dataclasses import dataclass
from typing import Any

import msgspec

from reports import Report


class Item(msgspec.Struct, frozen=True):
    """One item that could be read. `index` is its place in the body, from 0. A struct: one is made for each."""

    index: int
    report: Report


@dataclass(frozen=True, slots=True)
class Fault:
    """One item that could not be read; its neighbours are not affected.

    `error` says in words what is wrong, where, and what was expected; it quotes no value, since values may be
    people's addresses. `raw` is the item as it came, `family` the payload family that it was taken for.
    """

    index: int
    error: str
    raw: Any
    family: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All items of one body, good and bad. `shape` is the envelope: `results`, `list`, `object`, or the XML root."""

    items: tuple[Item, ...]
    faults: tuple[Fault, ...]
    received: int
    shape: str
