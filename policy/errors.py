"""What can be wrong with a policy.

PolicyError    a policy that cannot be used; lists a PolicyFault (file, rule, problem, fix) for each mistake
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One mistake of a policy file. `where` names the rule or the section."""

    file: str
    where: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}: {self.where}: {self.problem}. {self.fix}"


class PolicyError(Exception):
    """A policy that cannot be used; carries every mistake found, not just the first."""

    def __init__(self, faults: list[PolicyFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults
