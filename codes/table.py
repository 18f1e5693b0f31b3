"""Read the code tables: `codes/tables/*.csv`, and the rows that one installation lays over them."""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from codes.causes import CAUSES
from codes.errors import TableError, TableFault
from codes.suggest import did_you_mean

TABLES: Final = Path(__file__).parent / "tables"
COLUMNS: Final = tuple(
    "family kind id name group_id group permanent cause advice retry_after retry_for aliases sources".split()
)
FLAGS: Final[dict[str, bool | None]] = {"true": True, "false": False, "": None}
_SMTP_FILE: Final = "smtp-enhanced.csv"


@dataclass(frozen=True, slots=True)
class Row:
    """One code: what Infobip says of it (id to permanent) and what we make of it (cause, advice).

    `retry_after` and `retry_for` hold documented advice only: a duration such as `24h`, or `next_day`, `next_month`.
    """

    family: str
    kind: str
    id: int
    name: str
    group_id: int | None
    group: str
    permanent: bool | None
    cause: str
    advice: str
    retry_after: str
    retry_for: str
    aliases: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes it one code: family, kind and id. A few codes have two rows, told apart by name or group."""
        return self.family, self.kind, self.id

    @property
    def label(self) -> str:
        """The code as a person names it: `general error 27 EC_ABSENT_SUBSCRIBER`."""
        return f"{self.family} {self.kind} {self.id} {self.name}"


class _Placed(NamedTuple):
    row: Row
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class SmtpRow:
    """One enhanced SMTP status code or pattern (`5.1.x`) of RFC 3463 and its registry."""

    pattern: str
    cause: str
    advice: str


@dataclass(frozen=True, slots=True)
class Tables:
    """All rows in force, and the hash that names exactly this set."""

    rows: tuple[Row, ...]
    smtp: tuple[SmtpRow, ...]
    hash: str


def load(local: Path | None = None, folder: Path = TABLES) -> Tables:
    """Read the shipped tables and, over them, the rows of `local` (same columns, one file).

    A local row replaces the shipped rows of the same family, kind and id, or adds a new code.
    Raises `TableError`, which lists every broken rule, and `OSError` for a file that cannot be read.
    """
    faults: list[TableFault] = []
    digest = hashlib.sha256()
    rows: list[_Placed] = []
    smtp: tuple[SmtpRow, ...] = ()
    for path in sorted(folder.glob("*.csv")):
        text = _text(path, digest)
        if path.name == _SMTP_FILE:
            smtp = tuple(_smtp_rows(path.name, text, faults))
        else:
            rows += _rows(path.name, text, faults)
    if local is not None:
        rows = _overlay(rows, _rows(str(local), _text(local, digest), faults))
    faults += _clashes(rows)
    if faults:
        raise TableError(faults)
    return Tables(tuple(placed.row for placed in rows), smtp, digest.hexdigest()[:12])


def _text(path: Path, digest: "hashlib._Hash") -> str:
    content = path.read_bytes()
    digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return content.decode("utf-8-sig")


def _overlay(shipped: list[_Placed], local: list[_Placed]) -> list[_Placed]:
    replaced = {placed.row.key for placed in local}
    return [placed for placed in shipped if placed.row.key not in replaced] + local


def _rows(file: str, text: str, faults: list[TableFault]) -> list[_Placed]:
    reader = csv.reader(text.splitlines())
    header = next(reader, [])
    if tuple(header) != COLUMNS:
        faults.append(TableFault(file, 1, f"the header is {','.join(header)!r}", f"Write {','.join(COLUMNS)}."))
        return []
    rows = []
    for cells in reader:
        if not cells:
            continue
        problems = list(_problems(cells))
        faults += [TableFault(file, reader.line_num, problem, fix) for problem, fix in problems]
        if not problems:
            rows.append(_Placed(_row(cells), file, reader.line_num))
    return rows


def _row(cells: list[str]) -> Row:
    family, kind, number, name, group_id, group, permanent, cause, advice, after, lasts, aliases, sources = cells
    return Row(
        family=family,
        kind=kind,
        id=int(number),
        name=name,
        group_id=int(group_id) if group_id else None,
        group=group,
        permanent=FLAGS[permanent],
        cause=cause,
        advice=advice,
        retry_after=after,
        retry_for=lasts,
        aliases=tuple(aliases.split(";")) if aliases else (),
        sources=tuple(sources.split(";")) if sources else (),
    )


def _problems(cells: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (what is wrong, how to put it right) for one row."""
    if len(cells) != len(COLUMNS):
        yield f"the row has {len(cells)} cells", f"Write {len(COLUMNS)}, and quote a cell that holds a comma."
        return
    row = dict(zip(COLUMNS, cells, strict=True))
    if row["kind"] not in ("status", "error"):
        yield f"the kind is {row['kind']!r}", "Write status or error."
    if not row["family"]:
        yield "the family is empty", "Write one of the families of codes/channels.py."
    for column in ("id", "group_id"):
        if not (row[column].isdecimal() or (column == "group_id" and not row[column])):
            yield f"the {column} is {row[column]!r}", "Write a whole number."
    if not row["name"]:
        yield "the name is empty", "Write the name that Infobip gives the code."
    if row["permanent"] not in FLAGS:
        yield f"permanent is {row['permanent']!r}", "Write true, false or nothing."
    if row["cause"] not in CAUSES:
        yield f"the cause {row['cause']!r} is not in the vocabulary", did_you_mean(row["cause"], CAUSES)
    if not row["advice"].endswith(".") or len(row["advice"]) < 20:
        yield "the advice is not a sentence", "Say what the code means and what to do next, and end with a full stop."
    if not row["sources"]:
        yield "the sources are empty", "Name where the code was seen, such as codes-page."


def _smtp_rows(file: str, text: str, faults: list[TableFault]) -> Iterator[SmtpRow]:
    reader = csv.DictReader(text.splitlines())
    for line, row in enumerate(reader, start=2):
        if row["cause"] not in CAUSES:
            problem = f"the cause {row['cause']!r} is not in the vocabulary"
            faults.append(TableFault(file, line, problem, did_you_mean(row["cause"], CAUSES)))
        yield SmtpRow(row["pattern"], row["cause"], row["advice"])


def _clashes(rows: Iterable[_Placed]) -> Iterator[TableFault]:
    """Find rows that no report could tell apart: same family, kind, id, name and group."""
    seen: dict[tuple[object, ...], _Placed] = {}
    for placed in rows:
        row = placed.row
        first = seen.setdefault((*row.key, row.name.casefold(), row.group.casefold()), placed)
        if first is not placed:
            problem = f"{row.label} stands already in {first.file}:{first.line}"
            yield TableFault(placed.file, placed.line, problem, "Keep one of the two rows.")
