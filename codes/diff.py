"""What an upgrade of the tables, or an overlay, changes in the meaning of codes."""

from collections.abc import Iterator
from dataclasses import dataclass

from codes.table import Row, Tables


@dataclass(frozen=True, slots=True)
class Change:
    """One code whose cause differs. `before` or `after` is empty where the code is new or gone."""

    label: str
    before: str
    after: str


def diff(old: Tables, new: Tables) -> Iterator[Change]:
    """Yield every code whose causes differ between `old` and `new`, ordered by family, kind and id."""
    before, after = _by_code(old), _by_code(new)
    for key in sorted(before.keys() | after.keys()):
        was, becomes = before.get(key, ()), after.get(key, ())
        if _causes(was) != _causes(becomes):
            yield Change((becomes or was)[0].label, _causes(was), _causes(becomes))


def _by_code(tables: Tables) -> dict[tuple[str, str, int], tuple[Row, ...]]:
    rows: dict[tuple[str, str, int], tuple[Row, ...]] = {}
    for row in tables.rows:
        rows[row.key] = (*rows.get(row.key, ()), row)
    return rows


def _causes(rows: tuple[Row, ...]) -> str:
    return ", ".join(dict.fromkeys(row.cause for row in rows))
