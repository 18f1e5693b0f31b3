"""E-mail suppressions of the account's sender domains (OUTBOUND facts 4.2)."""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from infobip.inbound.dates import parse
from infobip.simulator.blocklist import Later
from infobip.simulator.clock import stamp
from infobip.simulator.coding import Wish
from infobip.simulator.errors import Refusal
from infobip.simulator.reading import Faults, items, members, text

TYPES: Final = ("BOUNCE", "COMPLAINT", "OVER_QUOTA")
ADDABLE: Final = ("BOUNCE", "COMPLAINT")
# What a send to a suppressed address is refused with.
ERRORS: Final[Mapping[str, Wish]] = {
    "COMPLAINT": "EC_SUPPRESSED_SPAM_COMPLAINT",
    "BOUNCE": "EC_SUPPRESSED_BOUNCE",
    "OVER_QUOTA": "EC_SUPPRESSED_BOUNCE",
}
_GROUPS_MOST: Final = 10
_ADDRESSES_MOST: Final = 1000
_PAGE_MOST: Final = 1000

Key = tuple[str, str, str]


class Suppressions:
    """(domain, address, type) -> since when. Safe to share between threads."""

    def __init__(self, later: Later) -> None:
        self._later = later
        self._lock = threading.Lock()
        self._since: dict[Key, datetime] = {}
        self._asked: Counter[Key] = Counter()

    def counts(self) -> dict[str, int]:
        """Return how many there are, and how often and for how many one was asked."""
        with self._lock:
            twice = sum(number > 1 for number in self._asked.values())
            return {"records": len(self._since), "asked": self._asked.total(), "askedTwice": twice}

    def add(self, body: Any) -> None:
        """Take a request for new ones; those that are there stay. Raises `Refusal`."""
        wanted = _wanted(body, ADDABLE)
        with self._lock:
            self._asked.update(wanted)

        def now() -> None:
            with self._lock:
                for key in wanted:
                    self._since.setdefault(key, stamp())

        self._later(now)

    def delete(self, body: Any) -> None:
        """Take a request to remove some. Raises `Refusal`."""
        wanted = _wanted(body, TYPES)

        def now() -> None:
            with self._lock:
                for key in wanted:
                    self._since.pop(key, None)

        self._later(now)

    def listed(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return a page; `domainName` and `type` are needed. Raises `Refusal`."""
        faults: Faults = {name: "must not be blank" for name in ("domainName", "type") if not query.get(name)}
        if query.get("type", TYPES[0]) not in TYPES:
            faults["type"] = f"must be one of {', '.join(TYPES)}"
        page, size = query.get("page", "0"), query.get("size", "100")
        if not page.isdecimal():
            faults["page"] = "must be a whole number"
        if not size.isdecimal() or not 1 <= int(size) <= _PAGE_MOST:
            faults["size"] = f"must be between 1 and {_PAGE_MOST}"
        if faults:
            raise Refusal(400, faults=faults)
        with self._lock:
            found = [(key, since) for key, since in self._since.items() if _is_asked(key, since, query)]
        first, most = int(page) * int(size), int(size)
        return {
            "results": [_shown(key, since) for key, since in found[first : first + most]],
            "paging": {"page": int(page), "size": most},
        }

    def domains(self) -> dict[str, Any]:
        """Return the domains that have any, and what may be done with them."""
        with self._lock:
            names = sorted({domain for domain, _, _ in self._since})
        rights = {"readBounces": True, "createBounces": True, "deleteBounces": True}
        rights |= {"readComplaints": True, "createComplaints": True, "deleteComplaints": True}
        rights |= {"readOverquotas": True, "deleteOverquotas": True}
        found = [{"domainName": name, "dataAccess": "OWNER", **rights} for name in names]
        return {"results": found, "paging": {"page": 0, "size": max(1, len(found))}}

    def error_for(self, sender: str, recipient: str) -> Wish | None:
        """Return the error that a mail is refused with, or `None`. `sender` may be `Name <address>`."""
        domain = sender.rpartition("@")[2].rstrip("> ").lower()
        with self._lock:
            for kind, error in ERRORS.items():
                if (domain, recipient.lower(), kind) in self._since:
                    return error
        return None

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._since.clear()
            self._asked.clear()


def _wanted(body: Any, types: tuple[str, ...]) -> list[Key]:
    faults: Faults = {}
    found: list[Key] = []
    groups = list(items(members(body, "request", faults).get("suppressions"), "suppressions", faults))
    if len(groups) > _GROUPS_MOST:
        faults["suppressions"] = f"must not hold more than {_GROUPS_MOST} groups"
    for path, group in groups:
        domain = text(group, "domainName", path, faults, need=True).lower()
        kind = text(group, "type", path, faults, need=True)
        if kind and kind not in types:
            faults[f"{path}.type"] = f"must be one of {', '.join(types)}"
        addresses = group.get("emailAddress")
        if not isinstance(addresses, list) or not 1 <= len(addresses) <= _ADDRESSES_MOST:
            faults[f"{path}.emailAddress"] = f"must hold 1 to {_ADDRESSES_MOST} addresses"
            continue
        for index, address in enumerate(addresses):
            if not isinstance(address, str) or "@" not in address:
                faults[f"{path}.emailAddress[{index}]"] = "must be a well-formed email address"
            else:
                found.append((domain, address.lower(), kind))
    if faults:
        raise Refusal(400, faults=faults)
    return found


def _is_asked(key: Key, since: datetime, query: Mapping[str, str]) -> bool:
    domain, address, kind = key
    after, before = parse(query.get("createdDateFrom")), parse(query.get("createdDateTo"))
    return (
        domain == query["domainName"].lower()
        and kind == query["type"]
        and query.get("emailAddress", address).lower() == address
        and query.get("recipientDomain", address.rpartition("@")[2]).lower() == address.rpartition("@")[2]
        and (after is None or since >= after)
        and (before is None or since <= before)
    )


def _shown(key: Key, since: datetime) -> dict[str, Any]:
    created = f"{since:%Y-%m-%dT%H:%M:%S}.{since.microsecond // 1000:03d}Z"
    return {"domainName": key[0], "emailAddress": key[1], "type": key[2], "createdDate": created, "reason": "simulated"}
