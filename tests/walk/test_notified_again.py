"""A worker is killed while a web hook and a mail server have its notification already, and nothing says so here."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from store.schema import outbox
from tests.alerts.world import Mail, json_url
from tests.relay.world import Handler, Target, serving
from tests.support.desk import report
from tests.support.ports import free_port
from tests.support.stack import Stack, running, wait_for


class SlowMail(Mail):
    """A mail server that has read a message, and does not say so before `answering`."""

    answering = threading.Event()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        said = await super().handle_DATA(server, session, envelope)
        while not self.answering.is_set():
            await asyncio.sleep(0.05)
        return said


@pytest.fixture(scope="module")
def mail() -> Iterator[SlowMail]:
    mail = SlowMail(free_port())
    controller = Controller(mail, hostname="127.0.0.1", port=mail.port)
    controller.start()
    yield mail
    mail.answering.set()
    controller.stop()


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def stack(target: Target, mail: SlowMail, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("again")
    routes = folder / "routes.toml"
    routes.write_text(f'[hook]\nurl = "{json_url(target)}"\n[mail]\nurl = "{mail.url}"\n')
    with running(folder, DLR_ALERT_ROUTES=str(routes), DLR_SWEEP="1s") as running_stack:
        yield running_stack


def test_a_notification_comes_again_after_a_kill_under_the_same_key_alone(
    stack: Stack, target: Target, mail: SlowMail
) -> None:
    asked = threading.Event()

    def hold(handler: Handler) -> None:
        asked.wait(60)
        handler.answer(200)

    target.always = hold
    stack.post_items(*[report(f"credit-{number}", 12) for number in range(20)])
    wait_for(lambda: target.seen and mail.got, "both to have the notification", 40)
    assert {row.state for row in stack.rows(outbox)} == {"claimed"}

    old = stack.pids["effects"]
    stack.kill("effects")
    asked.set()
    mail.answering.set()
    stack.await_restart("effects", old)
    # Nobody knows whether they arrived. Their leases would be over in two minutes.
    with stack.database.transaction() as connection:
        connection.execute(outbox.update().values(due_at=datetime.now(UTC)))
    wait_for(lambda: {row.state for row in stack.rows(outbox)} == {"done"}, "all to be told", 40)

    hooks = [(seen.header("webhook-id"), json.loads(seen.body)["key"]) for seen in target.seen]
    letters = [(letter["Message-ID"], letter["References"]) for letter in mail.got]
    assert (len(hooks), len(set(hooks))) == (2, 1)
    assert (len(letters), len(set(letters))) == (2, 1)
    assert len(stack.rows(outbox)) == 2
