"""docker-compose.yml as Docker would read it: merged, and with variables filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML

from tests.house.project import ROOT

FILE: Final = ROOT / "docker-compose.yml"
OURS: Final = ("migrate", "web", "proxy", "worker", "effects", "beat")
# As compose has it: $$ stands for a dollar, ${NAME:-default} for a variable or what stands in for it.
_VARIABLE: Final = re.compile(r"\$\$|\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}|\$(?P<bare>\w+)")


@dataclass(frozen=True, slots=True)
class Composition:
    """The file's content."""

    content: Mapping[str, Any]

    @property
    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """Each service by name."""
        services: Mapping[str, Mapping[str, Any]] = self.content["services"]
        return services


def load(variables: Mapping[str, str] | None = None) -> Composition:
    """Read the file under `variables`, which stand for what .env and the shell set."""
    return Composition(_filled(YAML(typ="safe").load(FILE), variables or {}))


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, variables), value)
    if isinstance(value, Mapping):
        return {key: _filled(member, variables) for key, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, variables) for member in value]
    return value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found[0] == "$$":
        return "$"
    assert found["bare"] is None, f"{found[0]}: write ${{{found['bare']}:-default}}, which needs no .env"
    return variables.get(found["name"]) or found["default"] or ""
