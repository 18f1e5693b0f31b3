"""The task page about the simulator says what is so."""

import re
from dataclasses import fields
from pathlib import Path

from click.testing import CliRunner

from cli.simulate import PORT, simulate
from config.settings import load_settings
from infobip.simulator import Match, Posting, Rule, Scenario, Simulator, Step, shipped_names
from infobip.simulator.app import make_flask
from infobip.simulator.load import parse_scenario
from infobip.simulator.scenario import APIS
from infobip.simulator.world import World

COMPOSE = (Path(__file__).parents[2] / "docker-compose.yml").read_text("utf-8")
PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")


def first_cells(heading: str) -> set[str]:
    section = PAGE.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    return {word for cell in cells for word in re.findall(r"`([\w-]+)`", cell)}


def names(of: type, **renamed: str) -> set[str]:
    return {renamed.get(field.name, field.name) for field in fields(of)}


def test_the_example_is_in_order() -> None:
    (example,) = re.findall(r"(?ms)^```toml\n(.*?)^```$", PAGE)
    scenario = parse_scenario(example.encode(), "the page")
    assert len(scenario.rules) == 3
    with Simulator(scenario):
        pass


def test_every_key_is_explained() -> None:
    assert first_cells("### The whole") == names(Scenario, rules="rule")
    assert first_cells("### A rule") | {"name", "match"} == names(Rule)
    assert first_cells("### What a rule matches") == names(Match, since="from")
    assert first_cells("### A report") == names(Step)
    assert first_cells("### Posting") == names(Posting)


def test_every_part_of_the_api_and_every_scenario_is_named() -> None:
    assert [word for word in (*APIS, *shipped_names()) if f"`{word}`" not in PAGE] == []


def test_every_option_is_explained() -> None:
    options = set(re.findall(r"--[\w-]+", CliRunner().invoke(simulate, ["--help"]).output)) - {"--help"}
    assert {f"--{word.lstrip('-')}" for word in first_cells("## Run it")} == options


def test_it_listens_where_no_other_part_of_this_product_does_unless_told_otherwise() -> None:
    settings = load_settings({})
    published = re.findall(r":(\d+)-(\d+)}:\d+", COMPOSE)
    assert len(published) == 2
    taken = {int(bind.rpartition(":")[2]) for bind in (settings.web_bind, settings.proxy_bind)}
    taken |= {port for first, last in published for port in range(int(first), int(last) + 1)}
    assert PORT not in taken
    assert f"where it listens; {PORT} unless" in PAGE
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", PAGE)) == {settings.web_bind.rpartition(":")[2], str(PORT)}


def test_every_address_of_the_simulators_own_is_explained() -> None:
    app = make_flask(World(Scenario(), "key", "", 1.0))
    own = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/simulator/")}
    assert set(re.findall(r"/simulator/[\w-]+", PAGE)) == own
