"""Push registrations: the part of the People API that switches one off (OUTBOUND facts 4.3)."""

import threading
from typing import Any

from infobip.simulator.errors import Refusal

NO_CODE = (48001, "There is no AppCode header")
NO_APPLICATION = (48012, "There is no such push application")
NO_REGISTRATION = (48013, "There is no such push registration")


class Devices:
    """Which registrations are switched off. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._off: set[str] = set()
        self.registrations: frozenset[str] = frozenset()
        self.applications: frozenset[str] = frozenset()

    def is_off(self, registration: str) -> bool:
        """Whether a registration gets nothing any more."""
        with self._lock:
            return registration in self._off

    def read(self, registration: str, application: str) -> dict[str, Any]:
        """Return a registration as the API does. Raises `Refusal`."""
        self._check(registration, application)
        return self._shown(registration, application)

    def _check(self, registration: str, application: str) -> None:
        if not application:
            raise Refusal(400, people=NO_CODE)
        if self.applications and application not in self.applications:
            raise Refusal(400, people=NO_APPLICATION)
        if self.registrations and registration not in self.registrations:
            raise Refusal(400, people=NO_REGISTRATION)

    def _shown(self, registration: str, application: str) -> dict[str, Any]:
        state = {"registrationEnabled": not self.is_off(registration), "notificationsEnabled": True}
        return {"registrationId": registration, "applicationId": application, "systemData": {"os": "Android", **state}}

    def patch(self, registration: str, application: str, body: Any) -> dict[str, Any]:
        """Change a registration; return it as the API does. Raises `Refusal`."""
        self._check(registration, application)
        data = body.get("systemData") if isinstance(body, dict) else None
        enabled = data.get("registrationEnabled") if isinstance(data, dict) else None
        with self._lock:
            if enabled is False:
                self._off.add(registration)
            elif enabled is True:
                self._off.discard(registration)
        return self._shown(registration, application)

    def clear(self) -> None:
        """Switch all on again."""
        with self._lock:
            self._off.clear()
