"""What the codes of one report mean."""

from dataclasses import dataclass
from enum import StrEnum

from codes.ref import CodeRef
from codes.table import Row


class Outcome(StrEnum):
    """What became of the message, as far as one report tells."""

    DELIVERED = "delivered"
    HANDED_OVER = "handed_over"
    PENDING = "pending"
    FAILED = "failed"
    UNKNOWN = "unknown"


class How(StrEnum):
    """By what a code was found in the tables."""

    ID = "id"
    NAME = "name"
    GROUP = "group"
    NOT_AT_ALL = "none"


@dataclass(frozen=True, slots=True)
class Match:
    """One of the report's codes and the row found for it, if any."""

    ref: CodeRef | None
    row: Row | None
    how: How

    @property
    def unknown(self) -> bool:
        """Whether the report names a code that the tables do not hold."""
        return self.row is None and self.ref is not None and self.ref.names_a_code

    @property
    def contradicted(self) -> bool:
        """Whether the report's own `permanent` flag differs from the table's."""
        said = self.ref.permanent if self.ref else None
        return self.row is not None and None not in (said, self.row.permanent) and said != self.row.permanent

    @property
    def label(self) -> str:
        """The code in words: the row's where there is one, else what the report said."""
        if self.row is not None:
            return self.row.label
        return str(self.ref) if self.ref else "none"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The interpretation of one report's codes. Facts only: what to do about them is the policy's affair.

    `smtp` is the enhanced SMTP code that refined the cause, or empty. `conflict` says that one code blames us and
    the other the person, so that neither can be acted on. `tables` is the hash of the tables that were asked.
    """

    channel: str
    outcome: Outcome
    cause: str
    advice: str
    status: Match
    error: Match
    smtp: str
    conflict: bool
    unknown: bool
    """Whether a code is not in the tables: on its strength nobody is suppressed and nothing is resent."""
    tables: str

    @property
    def is_event(self) -> bool:
        """Whether it is the meaning of an event, which carries no codes."""
        return self.status.ref is None and self.error.ref is None

    @property
    def permanent(self) -> bool | None:
        """The table's flag for the error, else the report's own; a hint, never a reason by itself."""
        if self.error.row is not None:
            return self.error.row.permanent
        return self.error.ref.permanent if self.error.ref else None

    @property
    def deciding(self) -> Row | None:
        """The row whose cause won, if a row gave it."""
        for match in (self.error, self.status):
            if match.row is not None and match.row.cause == self.cause:
                return match.row
        return None
