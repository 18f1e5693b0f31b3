"""What leaves is never lost, comes once, and again only under the same key."""

import re

import pytest

from config.mask import mask_text
from store.schema import incidents, outbox
from tests.alerts.conftest import MakeWorld
from tests.alerts.world import Mail, World, base_url, json_url, posted, titles
from tests.relay.world import Target, status
from workers.actions.notify import apprise_road
from workers.actions.notify.message import Message


def test_a_mail_says_it_all_and_keeps_its_message_id_when_it_is_sent_again(make_world: MakeWorld, mail: Mail) -> None:
    world = make_world(f'[mail]\nurl = "{mail.url}"\n')
    mail.answers = ["451 try later"]  # the server has read it all by then: whether it keeps it is not known
    world.see()
    world.work()
    assert [row.state for row in world.rows()] == ["due"]
    world.later(seconds=20)
    world.work()
    first, again = mail.got
    assert first["Message-ID"] == again["Message-ID"]
    assert re.fullmatch(r"<dlr-\d+@[\w.-]+>", str(again["Message-ID"]))
    assert again["To"] == "oncall@example.com"
    assert "Top up the account." in again.as_string()
    assert [row.state for row in world.rows()] == ["done"]
    world.later(hours=7)
    world.work()
    assert mail.got[2]["Message-ID"] != again["Message-ID"]
    assert mail.got[2]["References"] == again["References"]


def test_a_webhook_gets_the_same_id_again_after_a_crash(world: World, target: Target) -> None:
    world.see()
    world.work()
    # The worker died between the answer and its record: the row is still claimed, and its lease ends.
    with world.database.transaction() as connection:
        connection.execute(outbox.update().values(state="claimed", due_at=world.clock()))
    world.send()
    first, again = target.seen
    assert first.header("webhook-id") == again.header("webhook-id") == f"dlr-{world.rows()[0].subject}"
    assert posted(target)[0]["key"] == posted(target)[1]["key"]


def test_what_fails_is_tried_again_until_it_arrives(world: World, target: Target) -> None:
    target.replies = [status(503), status(404)]
    world.see()
    world.work()
    for _ in range(6):
        world.later(minutes=20)
        world.send()
    assert len(target.seen) == 3
    assert [row.state for row in world.rows()] == ["done"]


def test_a_dead_route_is_an_incident_that_the_other_routes_hear_of(
    make_world: MakeWorld, target: Target, other: Target
) -> None:
    world = make_world(f'[dead]\nurl = "{json_url(target)}"\n[well]\nurl = "{json_url(other)}"\n')
    target.always = status(503)
    world.see()
    for _ in range(6):
        world.work()
        world.later(minutes=5)
    (about,) = [row for row in world.rows(incidents) if row.rule == "alert-route-down"]
    assert "dead" in about.title
    assert [title for title in titles(other) if "alert route" in title] == [f"[critical] {about.title}"]
    assert not [title for title in titles(target) if "alert route" in title]
    target.always = status(200)
    world.later(minutes=15)
    world.work()
    assert [row.state for row in world.rows() if row.target == "dead"] == ["done"]
    world.later(minutes=26)
    world.work()
    assert f"[critical] Resolved: {about.title}" in titles(other)


def test_a_route_that_is_down_loses_nothing_when_it_is_back_days_later(world: World, target: Target) -> None:
    target.always = status(503)
    world.see("a", title="A")
    world.see("b", title="B")
    world.work()
    world.later(days=2, hours=20)
    target.always = status(200)
    target.seen.clear()
    world.send()
    world.later(minutes=1)
    world.send()
    assert {"[critical] A", "[critical] B"} <= set(titles(target))


def test_routes_hear_of_what_they_ask_for(make_world: MakeWorld, target: Target, other: Target) -> None:
    world = make_world(
        f'[grave]\nurl = "{json_url(target)}"\nseverity = "critical"\ncauses = ["account_funds"]\naccounts = ["main"]\n'
        f'[codes]\nurl = "{json_url(other)}"\nrules = ["unknown-code"]\npurposes = ["otp"]\n'
    )
    world.see("1", title="funds")
    world.see("2", title="warning", severity="warning")
    world.see("3", title="shop", account="shop")
    world.see("4", title="otp", rule="unknown-code", cause="unknown", purpose="otp")
    world.see("5", title="marketing", rule="unknown-code", cause="unknown", purpose="marketing")
    world.work()
    assert titles(target) == ["[critical] funds"]
    assert titles(other) == ["[critical] otp"]
    world.see("5", title="marketing", rule="unknown-code", cause="unknown", purpose="otp")
    world.work()
    assert titles(other) == ["[critical] otp", "[critical] marketing"]


def test_outside_of_its_hours_a_route_waits_and_what_is_over_by_then_is_not_told(
    make_world: MakeWorld, target: Target
) -> None:
    world = make_world(f'[day]\nurl = "{json_url(target)}"\nhours = "08:00-20:00"\nzone = "Europe/Vienna"\n')
    world.clock.now = world.clock.now.replace(month=7, day=14, hour=20, minute=0)  # ten in the evening there
    world.see("night", title="night")
    world.work()
    world.later(hours=7)
    world.see("morning", title="morning")
    world.work()
    assert target.seen == []
    world.later(hours=3, minutes=1)  # 06:01 UTC is 08:01 there
    world.work()
    assert titles(target) == ["[critical] morning"]
    assert "skipped: it was over before the route's hours began" in {row.last_error for row in world.rows()}


def test_alertmanager_gets_labels_that_stay_and_is_told_again_before_it_forgets(
    make_world: MakeWorld, target: Target
) -> None:
    world = make_world(f'[am]\nalertmanager = "{base_url(target)}"\ntoken = "t0k3n"\nresolve_timeout = "5m"\n')
    world.see(facts={"account": "main", "sender": "Shop"})
    world.work()
    assert {seen.path for seen in target.seen} == {"/api/v2/alerts"}
    assert target.seen[0].header("Authorization") == "Bearer t0k3n"
    first = posted(target)[-1][0]
    target.seen.clear()
    world.later(minutes=2)
    world.see(count=9)
    world.work()
    (again,) = posted(target)[-1]
    assert again["labels"] == first["labels"]
    assert again["labels"]["dlr_sender"] == "Shop"
    assert again["startsAt"] == first["startsAt"]
    assert again["endsAt"] > first["endsAt"]
    assert again["annotations"]["count"] == "10"
    world.later(hours=7)
    world.work()
    (over,) = posted(target)[-1]
    assert over["labels"] == first["labels"]
    assert over["endsAt"] == world.incident().resolved_at.isoformat(timespec="milliseconds")


def test_alertmanager_that_was_away_hears_of_all_that_goes_on(make_world: MakeWorld, target: Target) -> None:
    world = make_world(f'[am]\nalertmanager = "{base_url(target)}"\n')
    target.always = status(500)
    world.see("a", title="A")
    world.see("b", title="B")
    for _ in range(5):
        world.work()
        world.later(minutes=3)
    target.always = status(200)
    target.seen.clear()
    world.later(minutes=10)
    for _ in range(3):
        world.work()
        world.later(minutes=2)
    heard = {alert["annotations"]["summary"] for body in posted(target) for alert in body}
    assert {"A", "B"} <= heard


def test_routes_change_without_a_restart_and_wrong_ones_stay_out_of_force(
    world: World, target: Target, other: Target
) -> None:
    world.file.write_text("[team]\nurl = 5\n")
    world.see("a", title="A")
    world.work()
    assert titles(target) == ["[critical] A"]
    assert "[team] url" in world.context.routes.problem
    world.file.write_text(f'[new]\nurl = "{json_url(other)}"\n')
    world.see("b", title="B")
    world.work()
    assert titles(other) == ["[critical] B"]
    assert world.context.routes.problem == ""


def test_no_secret_of_a_url_and_no_address_stands_in_a_reason(target: Target) -> None:
    target.always = status(403)
    url = f"json://user:s3cretpass@127.0.0.1:{target.server_address[1]}/t0psecretpath"
    message = _message()
    with pytest.raises(apprise_road.NotTaken) as found:
        apprise_road.send(url, message)
    told = str(found.value)
    assert "s3cretpass" not in told
    assert "t0psecretpath" not in told
    assert told == mask_text(told)


def _message() -> Message:
    return Message("dlr-1", "dlr-2", "title", "body", "critical", False, {})


def test_services_that_keep_incidents_get_one_key_for_beginning_and_end() -> None:
    plugin = apprise_road._plugin("pagerduty://aaaaaaaaaaaaaaaa@bbbbbbbbbbbbbbbbbbbb")
    apprise_road._give_keys(plugin, _message())
    assert (plugin.dedup, str(plugin.action)) == ("dlr-1", "map")
