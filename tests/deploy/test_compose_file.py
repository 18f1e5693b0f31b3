"""The file is compose's, and what it promises about each service is in it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.settings import describe
from config.settings import Settings
from tests.deploy.compose import FILE, OURS, load
from tests.house.project import ROOT

SERVICES = load().services
LONG_RUNNING = [name for name in SERVICES if name != "migrate"]
ADDRESS = re.compile(r"\b[\w-]+(\.[\w-]+)+(:\d+)?/")


def seconds(text: str) -> int:
    """Return a duration of the file."""
    return int(text.removesuffix("s"))


def test_it_follows_the_compose_specification() -> None:
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_read_without_any_env_file() -> None:
    (env_file,) = SERVICES["web"]["env_file"]
    assert env_file == {"path": ".env", "required": False}


def test_its_services_are_the_ones_that_the_product_has() -> None:
    assert set(SERVICES) == {*OURS, "db", "redis"}
    queues = {queue for name in ("worker", "effects") for queue in option(name, "--queues").split(",")}
    assert queues == {"process", "resend", "notify", "maintain"}


def option(service: str, name: str) -> str:
    """Return the value of an option of a service's command."""
    (value,) = [part.partition("=")[2] for part in SERVICES[service]["command"] if part.startswith(f"{name}=")]
    return str(value)


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_can_do_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(str(mount).startswith("/tmp") for mount in service["tmpfs"])
    assert not {"privileged", "cap_add", "pid", "ipc", "network_mode", "devices"} & set(service)
    assert service.get("user", "") not in ("root", "0")


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_on_is_started_again_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    assert "max-size" in service["logging"]["options"]


@pytest.mark.parametrize("name", ["worker", "effects"])
def test_workers_get_the_time_to_end_their_task(name: str) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) >= 75


@pytest.mark.parametrize("name", ["web", "proxy", "worker"])
def test_endpoint_and_worker_can_be_scaled(name: str) -> None:
    service = SERVICES[name]
    assert "container_name" not in service
    # A single port of the host could be had by one of them only.
    assert all(re.search(r"\d+-\d+:\d+$", port) for port in service.get("ports", []))


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in ("web", "proxy")])
def test_nothing_but_the_endpoint_and_the_pass_through_is_published(name: str) -> None:
    assert "ports" not in SERVICES[name]
    assert "expose" not in SERVICES[name]


@pytest.mark.parametrize("name", ["web", "proxy"])
def test_what_is_published_is_published_to_this_host_only(name: str) -> None:
    assert [port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"]] == [True]


def test_the_pass_through_gets_the_time_to_hear_infobips_answer() -> None:
    assert seconds(SERVICES["proxy"]["stop_grace_period"]) > Settings().proxy_timeout.total_seconds() + 5


def test_database_and_broker_have_no_way_out() -> None:
    networks = load().content["networks"]
    assert networks["inside"] == {"internal": True}
    assert SERVICES["db"]["networks"] == SERVICES["redis"]["networks"] == ["inside"]


@pytest.mark.parametrize("name", OURS[1:])
def test_nothing_starts_before_the_tables_are_there(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"},
        "db": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
    }


def test_the_broker_keeps_what_it_is_told_and_refuses_rather_than_forgets() -> None:
    command = SERVICES["redis"]["command"]
    given = dict(zip(command[2::2], command[3::2], strict=True))
    assert given["--appendonly"] == "yes"
    assert given["--maxmemory-policy"] == "noeviction"


def secrets_made(folder: Path) -> dict[str, str]:
    """Run the script that makes the secrets and return them."""
    subprocess.run(("sh", ROOT / "scripts" / "compose_secrets", folder), check=True, capture_output=True)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_every_secret_is_a_file_that_the_script_makes_once(tmp_path: Path) -> None:
    made = secrets_made(tmp_path / "secrets")
    declared = load().content["secrets"]
    assert set(made) == set(declared)
    assert all(secret["file"] == f"./secrets/{name}" for name, secret in declared.items())
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert secrets_made(tmp_path / "secrets") == made
    assert secrets_made(tmp_path / "others")["url_token"] != made["url_token"]
    assert made["db_password"].strip() in made["database_url"]
    assert made["redis_conf"].split()[1] in made["redis_url"]


def values(value: Any) -> list[str]:
    """Return every text of a part of the file."""
    if isinstance(value, dict):
        return [text for member in value.values() for text in values(member)]
    if isinstance(value, list):
        return [text for member in value for text in values(member)]
    return [str(value)]


def test_no_secret_stands_in_it() -> None:
    for service in SERVICES.values():
        named = [name for name in service.get("environment", {}) if re.search("(PASSWORD|TOKEN|SECRET|URL)$", name)]
        assert named == [], "name a file instead: NAME_FILE"


@pytest.mark.parametrize("name", OURS)
def test_every_setting_in_it_is_one_and_every_secret_is_given_to_who_reads_it(name: str) -> None:
    service = SERVICES[name]
    known = {row["name"] for row in describe()}
    assert {variable.removesuffix("_FILE") for variable in service["environment"]} <= known
    read = {text.removeprefix("/run/secrets/") for text in values(service["environment"]) if "/run/secrets/" in text}
    assert read == set(service["secrets"])


def test_one_image_for_all_of_ours_and_no_registry_named() -> None:
    assert len({SERVICES[name]["image"] for name in OURS}) == 1
    assert not [service["image"] for service in SERVICES.values() if ADDRESS.search(service["image"])]


def test_its_defaults_are_the_settings() -> None:
    assert option("worker", "--concurrency") == str(Settings(database_url="postgresql://database/dlr").deciders)
