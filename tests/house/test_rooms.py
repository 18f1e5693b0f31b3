"""Every room is in the wheel, under the import contract, and stands alone in the environment."""

import importlib.metadata
import subprocess
import sys

from tests.house.project import PACKAGES, PYPROJECT, ROOT

NOT_SHIPPED = {"bench", "docs", "scripts", "tests"}


def test_the_wheel_and_the_import_contract_name_every_room() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/*.py")} - NOT_SHIPPED
    assert set(PACKAGES) == rooms
    assert set(PYPROJECT["tool"]["importlinter"]["root_packages"]) == rooms
    layers = PYPROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert {room for layer in layers for room in layer.split(" | ")} == rooms


def test_no_dependency_brings_a_package_of_the_same_name() -> None:
    owners = importlib.metadata.packages_distributions()
    assert {room: set(owners[room]) - {"dlr"} for room in PACKAGES if room in owners} == {
        room: set() for room in PACKAGES if room in owners
    }


def test_what_notifies_is_loaded_only_where_somebody_is_notified() -> None:
    """It takes memory and time that the endpoint, the workers and the commands have no use for."""
    doors = "webhook.serve, webhook.proxy.serve, workers.tasks, workers.start, cli.commands"
    program = f"import sys, {doors}; print(sorted({{'apprise'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
