"""What can be wrong with a code table.

CodesError
 └── TableError    tables that break their rules; lists a TableFault (file, line, problem, fix) for each
"""

from dataclasses import dataclass


class CodesError(Exception):
    """Base of this room's errors."""


@dataclass(frozen=True, slots=True)
class TableFault:
    """One broken rule of a code table. `line` counts from 1, the header included."""

    file: str
    line: int
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}. {self.fix}"


class TableError(CodesError):
    """Code tables that break their rules; carries every fault found, not just the first."""

    def __init__(self, faults: list[TableFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults
