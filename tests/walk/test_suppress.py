"""Whom nothing more is sent to, from the report to the refused send, and what frees them: through real processes."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from infobip.simulator import Simulator
from store import api_keys
from store.schema import inbox, incidents, messages, suppressions
from tests.alerts.world import json_url, posted
from tests.relay.world import Target, serving
from tests.support import postgres
from tests.support.desk import report
from tests.support.dlr import Dlr
from tests.support.infobip import AT_ONCE, KEY, infobip, sms
from tests.support.stack import Stack, running, wait_for
from tests.suppress.people import bounce

AT_ONCE_WORDS = "So many failures at once"
GONE = "447700900404"
WAVERING = "447700900777"
GONE_FOR_GOOD = {
    **AT_ONCE,
    "name": "one number is gone",
    "rule": [
        {
            "name": "nobody has it",
            "match": {"recipient": GONE},
            "reports": [{"after": 0, "error": "EC_UNKNOWN_SUBSCRIBER"}],
        }
    ],
}


@dataclass
class Walk:
    """One installation between an application, a simulated Infobip, and people who hear of incidents."""

    stack: Stack
    infobip: Simulator
    dlr: Dlr
    target: Target
    key: str

    def send(self, to: str, message_id: str, sender: str = "Shop") -> int:
        """Send through the pass-through as an application does; return the status that the message is answered with."""
        url = f"http://127.0.0.1:{self.stack.proxy_port}/proxy/{self.key}/sms/3/messages"
        body = sms(to, message_id=message_id, sender=sender)
        answer = requests.post(url, json=body, headers={"Authorization": f"App {KEY}"}, timeout=20)
        assert answer.status_code == 200, answer.text
        [message] = answer.json()["messages"]
        status: int = message["status"]["id"]
        return status

    def check(self, *entries: dict[str, str]) -> list[dict[str, Any]]:
        """Ask the list over the API."""
        url = f"http://127.0.0.1:{self.stack.proxy_port}/api/v1/suppressions/check"
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = requests.post(url, json={"entries": entries}, headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    def done(self) -> None:
        """Wait until every callback that came has been decided on."""
        wait_for(lambda: {row.state for row in self.stack.rows(inbox)} == {"done"}, "an empty inbox", 40)

    def say(self, word: str, at: datetime) -> None:
        """Let the wavering person write a word to the shop."""
        said = {
            "messageId": f"in-{at:%H%M%S}",
            "from": WAVERING,
            "to": "Shop",
            "text": word,
            "receivedAt": _date(at, 0),
        }
        self.stack.post_items(said)

    def of_cause(self, cause: str, channel: str) -> list[Any]:
        return [row for row in self.stack.rows(suppressions) if (row.cause, row.channel) == (cause, channel)]

    def of_mail(self, cause: str) -> dict[str, int]:
        """Return how many entries of e-mail a cause has, by state."""
        return dict(Counter(row.state for row in self.of_cause(cause, "email")))

    def incident(self, rule: str) -> Any:
        [row] = [row for row in self.stack.rows(incidents) if row.rule == rule]
        return row

    def heard(self, title: str) -> list[Any]:
        """Return the notifications whose title has these words."""
        return [body for body in posted(self.target) if title in body["title"]]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def walk(request: pytest.FixtureRequest, target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("suppress")
    policy, routes = folder / "policy.toml", folder / "routes.toml"
    policy.write_text('version = 1\n[modes]\nsuppress = "act"\n', "utf-8")
    routes.write_text(f'[team]\nurl = "{json_url(target)}"\n', "utf-8")
    target.seen.clear()
    with infobip(GONE_FOR_GOOD) as simulator:
        settings = {
            "DLR_INFOBIP_URL": simulator.url,
            "DLR_INFOBIP_KEY": KEY,
            "DLR_POLICY": str(policy),
            "DLR_ALERT_ROUTES": str(routes),
            "DLR_SWEEP": "1s",
        }
        if request.param == "postgresql":
            settings["DLR_DATABASE_URL"] = postgres.new_database(request.getfixturevalue("postgres_url"))
        with running(folder, **settings) as stack:
            scopes = [api_keys.PROXY, api_keys.SUPPRESSIONS_READ]
            with stack.database.transaction() as connection:
                key = api_keys.make(connection, "main", "shop", scopes, datetime.now(UTC))
            simulator.world.targets.notify_url = f"http://127.0.0.1:{stack.port}/webhook/{{channel}}/{stack.token}"
            dlr = Dlr({**settings, "DLR_STATE_DIR": str(stack.state_dir)})
            yield Walk(stack, simulator, dlr, target, key)


def test_who_can_never_be_reached_is_refused_the_next_time_and_every_step_is_explained(walk: Walk) -> None:
    assert walk.send(GONE, "order-1") == 26
    wait_for(lambda: walk.of_cause("recipient_unknown", "sms"), "the suppression", 40)
    assert walk.send(GONE, "order-2") == 14
    assert walk.send("447700900405", "order-3") == 26

    assert [one["messageId"] for one in walk.infobip.sends(recipient=GONE)] == ["order-1"]
    entry = {"channel": "sms", "sender": "Shop", "purpose": "transactional"}
    refused, passes = walk.check({"to": f"+{GONE}"} | entry, {"to": "447700900405"} | entry)
    assert (refused["blocked"], refused["cause"], refused["rule"]) == (True, "recipient_unknown", "unknown-recipient")
    assert passes == {"blocked": False, "held": False, "flagged": False}

    first, second = (walk.dlr.lines("message", name) for name in ("order-1", "order-2"))
    assert [line[-1] for line in (first[0], second[0])] == ["failed", "refused"]
    told = {line[1]: line for line in first[1:]}
    assert "EC_UNKNOWN_SUBSCRIBER" in told["report"][2]
    assert "the recipient gets no more messages on this channel until" in told["decision"][2]
    assert told["decision"][3].startswith("rule unknown-recipient (policy ")
    assert told["recipient"][2].startswith("is suppressed on channel sms until ")
    told = {line[1]: line for line in second[1:]}
    assert told["sent"][2] == "refused: it was not sent: the recipient is suppressed (recipient_unknown)"
    assert told["recipient"][2].startswith("is suppressed on channel sms until ")
    [[masked, verdict, cause, *_]] = walk.dlr.lines("suppress", "check", GONE, "--channel", "sms")
    assert (masked, verdict, cause) == ("…04", "blocked", "recipient_unknown")
    shown = walk.dlr("suppress", "show", GONE)
    assert "rule unknown-recipient" in shown
    assert "EC_UNKNOWN_SUBSCRIBER" in shown
    pack = walk.dlr.json("evidence", GONE)
    assert (pack["known"], pack["trails_whole"]) == (True, True)
    assert [send["state"] for send in pack["sends"]] == ["accepted", "refused"]
    assert not [line for line in walk.stack.lines if GONE in line]


def test_8000_bounces_of_one_domain_block_nobody_until_a_person_has_agreed(walk: Walk) -> None:
    asked_for = [bounce(90_000 + number, error=6003, minute=4) for number in range(20)]
    complained = [complaint(95_000 + number) for number in range(10)]
    for part in range(16):
        items = [bounce(500 * part + number, minute=10 * part // 16) for number in range(500)]
        more = asked_for if part == 6 else complained if part == 9 else []
        walk.stack.post_items(*items, *more, channel="email")
    wait_for(lambda: walk.of_mail("recipient_unknown") == {"held": 8_000}, "8,000 held", 60)
    walk.done()
    assert walk.of_mail("recipient_opted_out") == {"active": 20}
    assert walk.of_mail("recipient_complained") == {"active": 10}
    wait_for(lambda: walk.incident("suppressions-held").told == "opened", "the incident", 20)
    wait_for(lambda: walk.heard(AT_ONCE_WORDS), "the notification", 40)

    bounced = {"to": "person4711@example.com", "channel": "email", "sender": "news@shop.example"}
    held, opted_out, complained_of = walk.check(
        bounced, bounced | {"to": "person90001@example.com"}, bounced | {"to": "person95001@example.com"}
    )
    assert (held["blocked"], held["held"], held["cause"]) == (False, True, "recipient_unknown")
    assert (opted_out["flagged"], complained_of["blocked"]) == (True, True)
    [marketing] = walk.check(bounced | {"to": "person90001@example.com", "purpose": "marketing"})
    assert marketing["blocked"]
    [[_, verdict, *_]] = walk.dlr.lines("suppress", "check", bounced["to"], "--channel", "email")
    assert verdict == "passes: held, and waits for a person"
    assert "held back among many others" in walk.dlr("message", "b-example.com-4711-6006")
    [[group, state, what, number, *_]] = walk.dlr.lines("suppress", "held", "list")
    assert (state, what, number) == ("open", "domain example.com", "8000")

    told = walk.dlr.lines("suppress", "held", "release", group, "--who", "ada", "--yes")
    assert told == [["8000", "recipient_unknown"], ["8000 suppressed."]]
    assert walk.of_mail("recipient_unknown") == {"active": 8_000}
    [blocked] = walk.check(bounced)
    assert (blocked["blocked"], blocked["held"]) == (True, False)
    assert "accepted by ada" in walk.dlr("suppress", "show", bounced["to"])
    [first, last] = wait_for(lambda: heard if len(heard := walk.heard(AT_ONCE_WORDS)) > 1 else [], "its end", 40)
    assert first["title"].startswith("[critical] So many failures")
    assert f"dlr suppress held release {group}" in first["message"]
    assert last["title"].startswith("[critical] Resolved: So many failures")
    assert "by ada" in last["message"]
    assert "@example.com" not in json.dumps([first, last]).replace("…@example.com", "")


def test_no_delivery_frees_who_opted_out_and_their_own_start_does(walk: Walk) -> None:
    now = datetime.now(UTC)
    walk.say("STOP", now - timedelta(minutes=9))
    wait_for(lambda: walk.of_cause("recipient_opted_out", ""), "the opt-out", 40)
    assert walk.send(WAVERING, "late-1") == 14
    # What was sent before the word, by us or by others, still arrives after it.
    for minutes, status in ((8, 5), (7, 2), (6, 5)):
        walk.stack.post_items(report(f"early-{minutes}", status, to=WAVERING, doneAt=_date(now, minutes)))
    walk.stack.post_items(
        {"messageId": "early-8", "to": WAVERING, "from": "Shop", "seenAt": _date(now, 5), "sentAt": _date(now, 10)}
    )
    walk.done()
    assert {row.state for row in walk.stack.rows(messages) if row.message_id.startswith("early-")} >= {"delivered"}
    assert walk.send(WAVERING, "late-2") == 14
    [refused] = walk.check({"to": WAVERING, "channel": "sms", "sender": "Shop"})
    assert (refused["blocked"], refused["cause"]) == (True, "recipient_opted_out")
    assert walk.infobip.sends(recipient=WAVERING) == []

    # A word from before the STOP that comes in late changes nothing either.
    walk.say("START", now - timedelta(minutes=10))
    walk.done()
    assert walk.send(WAVERING, "late-3") == 14
    walk.say("START", now - timedelta(minutes=1))
    wait_for(lambda: walk.send(WAVERING, "on-1") == 26, "the person's own START", 40)
    assert [one["messageId"] for one in walk.infobip.sends(recipient=WAVERING)] == ["on-1"]
    [entry] = walk.of_cause("recipient_opted_out", "")
    assert entry.state == "lifted"
    assert "lifted by person: opted in again" in walk.dlr("suppress", "show", WAVERING)


def complaint(number: int) -> dict[str, Any]:
    """Return the event that somebody called an e-mail spam, in the midst of the bounces."""
    at = int(datetime(2026, 3, 9, 10, 5, tzinfo=UTC).timestamp()) * 1000
    who = {"recipient": f"person{number}@example.com", "sender": "news@shop.example", "messageId": f"c-{number}"}
    return {"notificationType": "COMPLAINED", "eventId": f"e-{number}", "sendDateTime": at, **who}


def _date(now: datetime, minutes: float) -> str:
    """Return an Infobip date so many minutes ago."""
    return f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}.000+0000"
