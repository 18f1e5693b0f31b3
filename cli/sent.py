"""What became of a send as far as the register of sends knows, in words."""

from collections.abc import Mapping
from typing import Any, Final

from store.sends import ACCEPTED, INTENT, NOT_SENT, REFUSED, TOLD, UNKNOWN

_WORDS: Final[Mapping[str, str]] = {
    INTENT: "it is about to leave",
    ACCEPTED: "Infobip took it",
    REFUSED: "Infobip refused it",
    UNKNOWN: "no answer came, so nobody knows whether Infobip has it",
    NOT_SENT: "it did not reach Infobip",
    TOLD: "the application says so",
}
_WAITS: Final = frozenset({ACCEPTED, TOLD})
_ORIGINS: Final[Mapping[str, str]] = {"proxy": "through the pass-through", "api": "told over the API"}
_INNER: Final = frozenset({"key", "recipient", "account", "message_id"})


def words(send: Mapping[str, Any], *, reported: bool) -> str:
    """Return one send's state; `reported`: whether reports on it follow, so that none need be missed."""
    state = send["state"]
    if state == REFUSED and send["obstacle"]:
        return f"refused: {send['obstacle']}"
    said = _WORDS.get(state, state)
    said = f"{said}; no report has come yet" if state in _WAITS and not reported else said
    return f"{state.replace('_', ' ')}: {said}"


def note(send: Mapping[str, Any]) -> str:
    """Return the small print of a send."""
    parts = [_ORIGINS.get(send["origin"], send["origin"])]
    parts += [f"campaign {send['campaign']}"] if send["campaign"] else []
    parts += ["a marketing-only suppression stands, and the purpose is not declared"] if send["flagged"] else []
    return ", ".join(parts)


def told(send: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a send for machines: what the message itself does not say."""
    return None if send is None else {name: value for name, value in send.items() if name not in _INNER}
