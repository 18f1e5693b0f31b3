"""PostgreSQL's arrays: how many values are bound as one."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary

from store.moments import Moment

# PostgreSQL's array types, by the column's type in `store.schema`; texts are the rest.
_ARRAYS: Final[tuple[tuple[type, str], ...]] = (
    (Moment, "bigint[]"),
    (BigInteger, "bigint[]"),
    (Integer, "integer[]"),
    (Boolean, "boolean[]"),
    (LargeBinary, "bytea[]"),
)


def array_of(column: Column[Any]) -> str:
    """Return the array type of a column's values."""
    return next((array for kind, array in _ARRAYS if isinstance(column.type, kind)), "text[]")


def literal(values: Sequence[Any]) -> str:
    """Return a PostgreSQL array as its text form, which is bound like any text.

    The driver's own way, a dumper for each element, took twenty times as long (bench/README.md).
    """
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: Any) -> str:
    if isinstance(value, str):
        # PostgreSQL's texts cannot hold NUL; what is left is quoted as its manual says for array elements.
        plain = value.replace("\0", "\ufffd").replace("\\", "\\\\").replace('"', '\\"')
        return f'"{plain}"'
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if value is None:
        return "NULL"
    return ("t" if value else "f") if isinstance(value, bool) else str(value)
