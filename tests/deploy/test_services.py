"""The services as docker-compose.yml has them, run as local processes: a callback goes in, a decision comes out."""

import json
import socket
from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import create_engine, text

from tests.deploy.compose import load
from tests.deploy.hosting import Host, post, wait
from tests.support.desk import report
from tests.support.postgres import new_database


@pytest.fixture(scope="module")
def host(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A machine on which the database and the broker run and the tables are there; the last test ends it."""
    host = Host(load(), tmp_path_factory.mktemp("host"), new_database(postgres_url))
    try:
        host.start("redis")
        wait(lambda: broker_answers(host), lambda: host.log("redis"))
        host.run("migrate")
        yield host
    finally:
        host.stop()


def broker_answers(host: Host) -> bool:
    """Whether the broker refuses who does not know its password, as its health check asks."""
    try:
        redis.Redis(port=host.redis_port, socket_timeout=1).ping()
    except redis.AuthenticationError:
        return True
    except redis.RedisError:
        return False
    pytest.fail("the broker lets anybody in")


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def decisions(host: Host) -> list[tuple[str, str]]:
    """Return message id and rule of every decision."""
    engine = create_engine(host.database_url)
    query = """
        SELECT messages.message_id, decisions.rule FROM decisions JOIN reports ON reports.id = decisions.report_id
        JOIN messages ON messages.key = reports.message_key ORDER BY 1
    """
    with engine.connect() as connection:
        found = [(row[0], row[1]) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def test_the_migration_may_run_any_number_of_times(host: Host) -> None:
    host.run("migrate")
    assert "already" in host.log("migrate")


def test_what_is_no_setting_of_the_file_keeps_its_default(host: Host) -> None:
    host.start("web")
    host.wait_healthy("web")
    assert list((host.folder / "state").glob("url_token*")) == [], "the token is the secret's"


def test_a_callback_to_each_of_two_endpoints_is_decided_on_and_all_end_in_time(host: Host) -> None:
    for service in (*["web"] * (2 - len(host.web_ports)), "proxy", "worker", "worker", "effects", "beat"):
        host.start(service)
    for service in ("web", "proxy", "worker", "effects", "beat"):
        host.wait_healthy(service)
    path = f"/webhook/sms/{host.secret('url_token')}"
    # A health check asks the endpoint that was started last.
    wait(lambda: all(listens(port) for port in host.web_ports), lambda: host.log("web"))
    for number, port in enumerate(host.web_ports):
        assert post(port, "/webhook/sms/wrong", b"{}")[0] == 403
        body = json.dumps({"results": [report(f"compose-{number}", status=9, error=1)]}).encode()
        status, answer = post(port, path, body)
        assert status == 200, answer
        assert json.loads(answer)["accepted"] == 1
    assert post(host.proxy_port, "/proxy/wrong/sms/3/messages", b"{}")[0] == 404
    assert post(host.proxy_port, "/api/v1/sends", b"{}")[0] == 401
    wait(lambda: len(decisions(host)) == 2, lambda: host.log("worker"))
    assert [message for message, _ in decisions(host)] == ["compose-0", "compose-1"]
    assert not (host.folder / "state" / "dlr.sqlite").exists()

    graces = {name: service.get("stop_grace_period", "10s") for name, service in host.composition.services.items()}
    for name, (code, took) in host.stop().items():
        assert code == 0, (name, code, host.log(name)[-2000:])
        assert took < int(graces[name].removesuffix("s")), name
