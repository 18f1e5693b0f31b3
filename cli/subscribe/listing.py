"""`dlr subscribe show`: every subscription at Infobip, ours and others'."""

from dataclasses import dataclass
from typing import Any

from cli.subscribe.present import Present, Rival, notify_url, without_secrets
from cli.subscribe.scene import Scene
from cli.subscribe.wishes import events_of


@dataclass(frozen=True, slots=True)
class Listed:
    """One subscription."""

    channel: str
    name: str
    ours: bool
    events: tuple[str, ...]
    url: str
    note: str

    def plain(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "channel": self.channel,
            "id": self.name,
            "ours": self.ours,
            "events": list(self.events),
            "url": self.url,
            "note": self.note,
        }


def listed(at: Scene, there: Present) -> list[Listed]:
    """Return what was found, channel by channel, ours first."""
    found: list[Listed] = []
    for slug, now in there.channels.items():
        name = at.names.channel(slug)
        if now.subscription is not None:
            url = without_secrets(notify_url(now.profile))
            lost = "" if slug in at.record.channels else "not made by this installation"
            found.append(Listed(slug, name, True, tuple(events_of(now.subscription)), url, lost))
        elif now.profile is not None:
            found.append(Listed(slug, name, True, (), without_secrets(notify_url(now.profile)), "a profile only"))
        elif slug in at.record.channels:
            found.append(Listed(slug, name, True, (), "", "made here, and no longer at Infobip"))
        found += [_other(slug, rival) for rival in now.rivals]
        if now.untold:
            found.append(Listed(slug, "", False, (), "", f"others cannot be told: {now.untold}"))
    return found


def _other(slug: str, rival: Rival) -> Listed:
    note = "for some senders, applications or users only" if rival.narrowed else ""
    return Listed(slug, rival.name, False, rival.events, rival.url, note)
