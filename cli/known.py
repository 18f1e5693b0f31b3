"""Names that options narrow a command down by: at one that there is not, an empty answer would be a wrong one."""

from typing import Any, Final

from sqlalchemy import Connection

from cli.output import fail
from cli.stored import Stored
from codes import CodesError, load_codes
from codes.suggest import did_you_mean
from config.accounts import load_accounts
from config.settings import SettingsError
from policy import PolicyError, load_policy
from store import api_keys, views
from store.retries import FROM_INCIDENT

# Rules that stand in no policy and that people may ask about before anything was done by them.
_BUILT_IN: Final = (FROM_INCIDENT,)


def account_or_fail(at: Stored, connection: Connection, account: str) -> str:
    """Return an account that the settings name, that has a key or that has rows; end the command at any other."""
    if account and account not in (known := accounts(at, connection)):
        raise fail(f"There is no account {account!r}. {did_you_mean(account, known)}", 2)
    return account


def accounts(at: Stored, connection: Connection) -> set[str]:
    """Return every account that anything here knows of."""
    found = {*at.accounts(connection), *(key.account for key in api_keys.every(connection))}
    try:
        return found | set(load_accounts(at.settings))
    except SettingsError:
        return found  # `dlr doctor` tells of it, and it is no reason not to look at what is stored


def rule_or_fail(at: Stored, connection: Connection, rule: str, *columns: Any) -> str:
    """Return a rule of the policy in force, or one that a column of a table still tells of; end the command else."""
    if rule and not any(is_rule(at, connection, rule, column) for column in columns):
        near = did_you_mean(rule, {*(_rules(at) or ()), *_BUILT_IN})
        hint = near if near.startswith("Did") else "`dlr policy show` lists them."
        raise fail(f"There is no rule {rule!r}. {hint}", 2)
    return rule


def is_rule(at: Stored, connection: Connection, rule: str, column: Any) -> bool:
    """Whether there is such a rule, as far as that can be known: not while the policy's file is broken."""
    if rule in _BUILT_IN or views.tells_of(connection, column, rule):
        return True
    known = _rules(at)
    return known is None or rule in known


def _rules(at: Stored) -> set[str] | None:
    """Return the rules in force; nothing where their file is broken, so that nobody knows."""
    try:
        return {rule.id for rule in load_policy(at.settings.policy, load_codes(at.settings.codes_local).tables).rules}
    except (PolicyError, CodesError, OSError):
        return None
