"""Opinions: the operator's rules, and the decision that they give for one report. Pure: the clock is an argument."""

from policy.decide import decide
from policy.decision import Action, Alert, Decision, Forward, Ignore, Mode, Retry, Suppress
from policy.errors import PolicyError, PolicyFault
from policy.history import UNSEEN, Failed, History, Purpose
from policy.interpret import Interpretation, interpret
from policy.load import load_policy, shipped_policy
from policy.rules import Rule, Rules
from policy.silence import Sent, silence_of

__all__ = [
    "UNSEEN",
    "Action",
    "Alert",
    "Decision",
    "Failed",
    "Forward",
    "History",
    "Ignore",
    "Interpretation",
    "Mode",
    "PolicyError",
    "PolicyFault",
    "Purpose",
    "Retry",
    "Rule",
    "Rules",
    "Sent",
    "Suppress",
    "decide",
    "interpret",
    "load_policy",
    "shipped_policy",
    "silence_of",
]
