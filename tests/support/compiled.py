"""Statements are compiled once for all databases of a run: each test opens its own, and would compile them anew."""

from collections.abc import Iterator, MutableMapping
from typing import Any

from sqlalchemy import Connection, Engine, event


class Compiled(MutableMapping[tuple[Any, ...], Any]):
    """SQLAlchemy's cache, in which dialects of one kind are one: all databases of a run are of one server or library.

    The key begins with the dialect.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], Any] = {}

    def __getitem__(self, key: tuple[Any, ...]) -> Any:
        return self._kept[(type(key[0]), *key[1:])]

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self._kept[(type(key[0]), *key[1:])] = compiled

    def __delitem__(self, key: tuple[Any, ...]) -> None:
        del self._kept[(type(key[0]), *key[1:])]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def share() -> None:
    """Let every connection of this process use one cache from now on."""
    cache = Compiled()

    @event.listens_for(Engine, "engine_connect")
    def _use(connection: Connection) -> None:
        connection.execution_options(compiled_cache=cache)
