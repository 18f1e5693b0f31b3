"""What a rule that matched is asked: everything that its actions are worked out from, and what they have to say."""

from dataclasses import dataclass, field
from datetime import datetime

from codes import Meaning, Outcome
from policy.history import History, Purpose
from policy.rules import Rule, Rules
from reports import Report


@dataclass(frozen=True, slots=True)
class Question:
    """One report, what it means, what is known of its message and recipient, and the rule that matched it."""

    report: Report
    meaning: Meaning
    history: History
    rules: Rules
    rule: Rule
    purpose: Purpose
    outcome: Outcome
    """As the rule counts it."""
    moment: datetime
    """Now."""
    notes: list[str] = field(default_factory=list)
    """Clauses of the reason that tell what is not done, and why; filled in by those who are asked."""
