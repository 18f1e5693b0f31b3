"""Another secret without a callback that is refused: broken off after each step, killed, refused by Infobip."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from cli.subscribe.ledger import KEEP, Ledger
from cli.subscribe.rotation import Rotation
from cli.subscribe.scene import scene
from store.schema import inbox
from tests.subscribe.world import Place
from tests.support.stack import ROOT, wait_for

SLOW = {"name": "slow", "match": {"api": "subscriptions"}, "slow": "400ms"}
STEPS = ("write", "prove", "give", "retire")


def run_steps(place: Place, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Take the first steps of a rotation and no more, as one that is broken off does: all it knows is in the file."""
    for name, value in place.dlr.settings.items():
        monkeypatch.setenv(name, value)
    with scene("main") as at:
        rotation = Rotation(at, lambda text: None, None)
        parts: dict[str, Callable[[], None]] = {
            "write": rotation.write,
            "prove": lambda: rotation.prove(unproven=False),
            "give": rotation.give,
            "retire": rotation.retire,
        }
        for name in STEPS[:count]:
            parts[name]()


def age(place: Place, by: timedelta) -> None:
    """Make everything in the ledger older, and what has come so far."""
    path = place.folder / "subscriptions.json"
    content = json.loads(path.read_text())
    for one in content["accounts"]["main"]["secrets"]:
        one["since"] = (datetime.fromisoformat(one["since"]) - by).isoformat()
    path.write_text(json.dumps(content))
    with place.database() as database, database.transaction() as connection:
        for number, moment in connection.execute(select(inbox.c.id, inbox.c.received_at)).all():
            connection.execute(update(inbox).where(inbox.c.id == number).values(received_at=moment - by))


def test_the_endpoint_takes_a_new_secret_without_a_restart_and_the_old_one_until_it_is_finished(place: Place) -> None:
    place.start()
    old = place.secret_at_infobip()
    assert place.post(old) == 200
    assert place.post("another") == 403
    printed = place.dlr("subscribe", "rotate", "--yes")
    new = place.secret_at_infobip()
    assert new != old
    assert (place.post(old), place.post(new), place.post("another")) == (200, 200, 403)
    assert old not in printed
    assert new not in printed
    assert "too early" in place.dlr.fails("subscribe", "rotate", "--finish", "--yes")
    assert place.post(old) == 200
    age(place, KEEP)
    place.dlr("subscribe", "rotate", "--finish", "--yes")
    assert (place.post(old), place.post(new)) == (403, 200)
    assert "no old secret" in place.dlr.fails("subscribe", "rotate", "--finish", "--yes")


@pytest.mark.parametrize("count", range(len(STEPS) + 1))
def test_broken_off_after_any_step_no_callback_is_refused_and_repeating_ends_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    place.start()
    old = place.secret_at_infobip()
    place.send()
    run_steps(place, monkeypatch, count)
    place.send()
    now = place.secret_at_infobip()
    known = [one["secret"] for one in place.ledger["secrets"]]
    assert {old, now} <= set(known)
    assert [place.post(one) for one in known] == [200] * len(known)
    if count < len(STEPS):
        place.dlr("subscribe", "rotate", "--yes")
    place.send()
    assert place.first_answers() == [200, 200, 200]
    assert place.secrets("current") == [place.secret_at_infobip()]
    assert place.secrets("retired") == [old]
    assert place.secrets("made") == []
    assert place.post(old) == 200


def test_killed_while_infobip_is_asked_nothing_is_lost(place: Place) -> None:
    place.start()
    old = place.secret_at_infobip()
    place.infobip.load({"otherwise": [{"after": 0}], "rule": [SLOW]})
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DLR_")}
    command = [sys.executable, "-m", "cli.main", "subscribe", "rotate", "--yes"]
    with subprocess.Popen(command, cwd=ROOT, env=inherited | place.dlr.settings, stdout=subprocess.PIPE) as process:
        before = place.infobip.world.requests["PUT /subscriptions/1/security/<name>"]
        wait_for(lambda: place.infobip.world.requests["PUT /subscriptions/1/security/<name>"] > before, "the request")
        process.send_signal(signal.SIGKILL)
    (made,) = place.secrets("made")
    assert (place.post(old), place.post(made)) == (200, 200)
    wait_for(lambda: place.secret_at_infobip() == made, "Infobip to change the secret although nobody listens")
    place.send()
    place.infobip.load({"otherwise": [{"after": 0}]})
    place.dlr("subscribe", "rotate", "--yes")
    assert place.secrets("current") == [made] == [place.secret_at_infobip()]
    place.send()
    assert place.first_answers() == [200, 200]
    assert place.post(old) == 200


@pytest.mark.parametrize("fault", [{"status": 403}, {"drop": "after"}, {"drop": "before"}, {"status": 500}])
def test_an_infobip_that_refuses_or_is_away_leaves_both_accepted(place: Place, fault: dict[str, Any]) -> None:
    place.start()
    old = place.secret_at_infobip()
    passing = {"name": "passes", "match": {"api": "subscriptions", "times": 1}, "slow": "1ms"}
    rules = [passing, {"name": "fails", "match": {"api": "subscriptions"}, "fault": {**fault}}]
    place.infobip.load({"otherwise": [{"after": 0}], "rule": rules})
    said = place.dlr.fails("subscribe", "rotate", "--yes")
    assert "both secrets are accepted" in said
    (made,) = place.secrets("made")
    assert (place.post(old), place.post(made)) == (200, 200)
    place.infobip.load({"otherwise": [{"after": 0}]})
    place.dlr("subscribe", "rotate", "--yes")
    assert place.secret_at_infobip() == made
    assert place.secrets("retired") == [old]


def test_an_endpoint_that_does_not_take_the_new_secret_stops_it_before_infobip_has_it(place: Place) -> None:
    endpoint = place.start()
    old = place.secret_at_infobip()
    endpoint.stop()
    said = place.dlr.fails("subscribe", "rotate", "--yes")
    assert "does not accept the new secret" in said
    assert place.secret_at_infobip() == old
    place.dlr("subscribe", "rotate", "--yes", "--unproven")
    assert place.secret_at_infobip() != old


def test_a_leaked_secret_can_be_refused_at_once(place: Place) -> None:
    place.start()
    old = place.secret_at_infobip()
    place.dlr("subscribe", "rotate", "--yes")
    place.dlr("subscribe", "rotate", "--finish", "--now", "--yes")
    assert place.post(old) == 403
    assert "--finish" in place.dlr.fails("subscribe", "rotate", "--now", code=2)


def test_an_old_secret_that_infobip_still_signs_with_is_not_removed(place: Place) -> None:
    place.start()
    old = place.secret_at_infobip()
    place.dlr("subscribe", "rotate", "--yes")
    age(place, KEEP)
    place.infobip.world.subscriptions.securities["dlr-main"]["credentials"]["secretKey"] = old
    place.send()
    assert "still signs with an old secret" in place.dlr.fails("subscribe", "rotate", "--finish", "--yes")
    assert place.post(old) == 200


def test_nothing_to_rotate_is_said(place: Place) -> None:
    assert "subscribe create" in place.dlr.fails("subscribe", "rotate", "--yes")


def test_repeated_callbacks_with_the_old_signature_get_in(place: Place) -> None:
    endpoint = place.start()
    endpoint.stop()
    place.send()  # signed with the old one, and refused by nobody: nobody is there
    place.dlr("subscribe", "rotate", "--yes", "--unproven")
    place.endpoint = place.endpoint_for("hmac")
    # The address is another one, but what is repeated is the same: body and signature.
    (callback,) = place.infobip.world.poster.callbacks
    assert callback.state == "waiting"
    headers = dict(callback.headers)
    assert place.endpoint.post(callback.body, "/webhook/sms", headers=headers).status_code == 200
    assert Ledger(place.folder).of("main").due(datetime.now(UTC)) == ()
