"""Who may post: DLR_AUTH names sets of checks, and one whole set has to pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from config.settings import Settings, SettingsError
from webhook.accounts import Accounts
from webhook.checks import CHECKS, SETTINGS, Check, Presented


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard found. `failed` names the first check of each set that did not pass, for the log only."""

    passed: bool
    failed: tuple[str, ...] = ()

    @property
    def settings(self) -> str:
        """The settings to look at."""
        return ", ".join(SETTINGS[name] for name in self.failed)


@dataclass(frozen=True, slots=True)
class Guard:
    """The sets in force. Without any, nothing passes: that is only so where DLR_ALLOW_UNAUTHENTICATED lets all in."""

    sets: tuple[tuple[str, ...], ...]
    checks: Mapping[str, Check]
    unused: tuple[str, ...] = ()
    """Checks that are set up, but of no set."""

    @classmethod
    def from_settings(cls, settings: Settings, accounts: Accounts) -> Self:
        """Build the checks of all sets. Raises `SettingsError` naming what is wrong or missing."""
        ready = set_up_checks(settings)
        sets = read_sets(settings.auth)
        if not sets and ready:
            sets = (ready,)  # what is set up is meant: all of it together, which errs on the safe side
        if not sets and not settings.allow_unauthenticated:
            sets = (("token",),)
        used = [name for name in CHECKS if any(name in one for one in sets)]
        unused = tuple(name for name in ready if name not in used)
        return cls(sets, {name: CHECKS[name](settings, accounts) for name in (*used, *unused)}, unused)

    def judge(self, presented: Presented) -> Verdict:
        """Return whether one whole set passes. The body is read only if a set hangs on nothing else."""
        failed: dict[str, None] = {}
        for names in self.sets:
            for name in names:
                if not self.checks[name](presented):
                    failed[name] = None
                    break
            else:
                return Verdict(True)
        return Verdict(False, tuple(failed))

    def describe(self) -> str:
        """Return the sets as DLR_AUTH would have them."""
        return ", ".join(" + ".join(names) for names in self.sets)


def read_sets(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the sets of DLR_AUTH, each in the order of `CHECKS`. Raises `SettingsError` for a check there is not."""
    sets: list[tuple[str, ...]] = []
    for part in text.split(","):
        names = [name.strip().lower() for name in part.split("+")]
        if names == [""]:
            continue
        for name in names:
            if name not in CHECKS:
                near = get_close_matches(name, CHECKS, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(CHECKS)}."
                example = "For example: DLR_AUTH=hmac, token + network"
                raise SettingsError(f"DLR_AUTH: there is no check {name!r}. {hint} {example}")
        sets.append(tuple(name for name in CHECKS if name in names))
    return tuple(sets)


def set_up_checks(settings: Settings) -> tuple[str, ...]:
    """Return the checks for which the settings give a secret or a network, in the order of `CHECKS`."""
    given: Mapping[str, bool] = {
        "token": bool(settings.url_token) or bool(settings.account_tokens),
        "basic": bool(settings.basic_password),
        "header": bool(settings.header_value),
        "network": bool(settings.networks.strip()),
        "hmac": bool(settings.hmac_secret),
    }
    return tuple(name for name in CHECKS if given[name])


def needs_first_token(settings: Settings) -> bool:
    """Whether the endpoint is guarded by a token that nobody has configured, so that one has to be made."""
    ready: Sequence[str] = set_up_checks(settings)
    sets = read_sets(settings.auth)
    if not sets:
        return not ready and not settings.allow_unauthenticated
    return any("token" in names for names in sets) and "token" not in ready
