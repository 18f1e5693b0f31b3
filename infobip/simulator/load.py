"""Get a scenario: from a file, from what a request sends, or one of those that come with the product."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from marshmallow import ValidationError

from codes.suggest import did_you_mean
from infobip.simulator.errors import ScenarioError, ScenarioFault
from infobip.simulator.scenario import Scenario
from infobip.simulator.schema import ScenarioSchema, faults_of

SHIPPED: Final = Path(__file__).parent / "scenarios"


def shipped_names() -> list[str]:
    """Return the names of the scenarios that come with the product."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_scenario(source: str | Path) -> Scenario:
    """Return the scenario of a file, or of a shipped one's name.

    Raises `ScenarioError` with every mistake found.
    """
    path = Path(source)
    if str(source) in shipped_names():
        path = SHIPPED / f"{source}.toml"
    elif not path.is_file():
        problem = (
            f"there is no such file, and no such scenario comes along. {did_you_mean(str(source), shipped_names())}"
        )
        raise ScenarioError([ScenarioFault(str(source), problem)])
    return parse_scenario(path.read_bytes(), path.name)


def parse_scenario(content: bytes, place: str) -> Scenario:
    """Return the scenario of a TOML text. Raises `ScenarioError`."""
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError([ScenarioFault(place, f"it is not TOML: {error}. Correct it there.")]) from None
    return read_scenario(data, place)


def read_scenario(data: Mapping[str, Any], place: str = "the scenario") -> Scenario:
    """Return the scenario of a mapping. Raises `ScenarioError` with every mistake found."""
    try:
        scenario: Scenario = ScenarioSchema().load(dict(data))
    except ValidationError as error:
        raise ScenarioError(list(faults_of(error.messages, data, place))) from None
    return scenario
