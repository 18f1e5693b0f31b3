"""Many values, some at a time: databases bound how many parameters a statement may have, and how long others wait."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_parts(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Yield the values in order, at most `size` of them at a time."""
    return (values[start : start + size] for start in range(0, len(values), size))
