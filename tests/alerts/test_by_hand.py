"""What people do about being told: silences, routes listed, and a route tried, all by the commands."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.schema import incident_silences
from store.vault import Vault
from tests.alerts.conftest import MakeWorld
from tests.alerts.world import World, json_url, posted, titles
from tests.relay.world import Target, serving
from tests.support.dlr import Dlr, installed


@pytest.fixture
def world(make_world: MakeWorld, target: Target, other: Target, vault: Vault) -> World:
    """An installation that tells `target` of everything and `other` of what is critical. The tables have their keys."""
    toml = f'[team]\nurl = "{json_url(target)}"\n[boss]\nurl = "{json_url(other)}"\nseverity = "critical"\n'
    return make_world(toml)


@pytest.fixture
def dlr(database_url: str, world: World, tmp_path: Path) -> Dlr:
    made = installed(database_url, tmp_path / "state")
    made.settings |= {"DLR_ALERT_ROUTES": str(world.file)}
    return made


def see_sender(world: World, sender: str) -> None:
    world.see(
        key=f"sender-not-allowed|account=main|sender={sender}",
        rule="sender-not-allowed",
        cause="sender_not_allowed",
        title=f"Messages fail because the sender may not be used there (account main, sender {sender})",
        facts={"sender": sender},
    )


class TestSilences:
    def test_no_route_hears_of_what_is_silenced_and_the_list_shows_it(
        self, world: World, dlr: Dlr, target: Target
    ) -> None:
        dlr("incidents", "silence", "--cause", "account_funds", "--until", "2h", "--why", "topping up", "--who", "ada")
        world.see()
        world.work()
        assert posted(target) == []
        [row] = dlr.json("incidents", "list")
        assert (row["silenced"], row["state"]) == (True, "open")
        assert "open, silenced" in dlr("incidents", "list")
        [silence] = dlr.json("incidents", "silence", "--list")
        assert (silence["cause"], silence["why"], silence["who"]) == ("account_funds", "topping up", "ada")
        [[_, covers, _, why, who]] = dlr.lines("incidents", "silence", "--list")
        assert (covers, why, who) == ("cause account_funds", "topping up", "ada")

    def test_what_outlasts_it_is_told_after_it_is_lifted(self, world: World, dlr: Dlr, target: Target) -> None:
        dlr("incidents", "silence", "--rule", "account-funds", "--until", "2h")
        world.see()
        world.work()
        [[number, *_]] = dlr.lines("incidents", "silence", "--list")
        assert f"Silence {number} is over" in dlr("incidents", "silence", "--lift", number)
        assert dlr.json("incidents", "silence", "--list") == []
        world.later(minutes=1)
        world.work()
        assert len(titles(target)) == 1
        assert dlr.json("incidents", "list")[0]["silenced"] is False

    def test_only_what_is_grouped_so_is_silenced(self, world: World, dlr: Dlr, target: Target) -> None:
        dlr("incidents", "silence", "--cause", "sender_not_allowed", "--only", "sender=Shop", "--until", "2h")
        see_sender(world, "Shop")
        see_sender(world, "Bank")
        world.work()
        [told] = titles(target)
        assert "sender Bank" in told
        assert {row["title"][-5:-1]: row["silenced"] for row in dlr.json("incidents", "list")} == {
            "Shop": True,
            "Bank": False,
        }

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--until", "2h"), "--cause or --rule"),
            (("--cause", "account_fundss", "--until", "2h"), "Did you mean account_funds"),
            (("--cause", "account_funds"), "--until"),
            (("--cause", "account_funds", "--until", "2020-01-01"), "past already"),
            (("--cause", "account_funds", "--until", "2h", "--only", "sender"), "NAME=VALUE"),
            (("--lift", "first"), "no id"),
        ],
    )
    def test_what_cannot_be_meant_is_told_and_silences_nothing(
        self, world: World, dlr: Dlr, words: tuple[str, ...], said: str
    ) -> None:
        assert said in " ".join(dlr.fails("incidents", "silence", *words, code=2).split())
        assert world.rows(incident_silences) == []

    def test_one_that_is_over_or_was_never_there_cannot_be_lifted(self, world: World, dlr: Dlr) -> None:
        result = dlr.run("incidents", "silence", "--lift", "99", "--format", "json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["error"]["code"] == "not_found"

    def test_it_ends_by_itself(self, world: World, dlr: Dlr) -> None:
        dlr("incidents", "silence", "--cause", "account_funds", "--until", "2h")
        with world.database.transaction() as connection:
            past = datetime.now(UTC) - timedelta(minutes=1)
            connection.execute(incident_silences.update().values(until=past))
        assert dlr.json("incidents", "silence", "--list") == []


class TestIncidents:
    def test_one_that_somebody_works_on_is_shown_with_who_and_is_reminded_of_no_more(
        self, world: World, dlr: Dlr, target: Target
    ) -> None:
        world.see()
        world.work()
        number = str(world.incident().id)
        assert dlr("incidents", "ack", number, "--who", "eve") == f"Incident {number} is acknowledged.\n"
        assert dlr.json("incidents", "list")[0]["state"] == "acknowledged"
        assert "acknowledged by eve" in dlr("incidents", "show", number)
        world.later(hours=25)
        world.see()
        world.work()
        assert len(posted(target)) == 1
        assert "acknowledged it already" in dlr.fails("incidents", "ack", number)

    def test_one_that_is_over_is_resolved_with_why_and_who_and_once(
        self, world: World, dlr: Dlr, target: Target
    ) -> None:
        world.see()
        world.work()
        number = str(world.incident().id)
        dlr("incidents", "resolve", number, "--why", "topped up", "--who", "eve")
        world.work()
        assert "by eve" in posted(target)[1]["message"]
        shown = dlr("incidents", "show", number)
        assert "resolved by eve: topped up" in shown
        assert "told team of resolved" in shown
        assert dlr.json("incidents", "list") == []
        assert [row["state"] for row in dlr.json("incidents", "list", "--all")] == ["resolved"]
        assert number in dlr.fails("incidents", "resolve", number)


class TestRoutes:
    def test_each_is_listed_with_what_it_hears_of(self, dlr: Dlr) -> None:
        assert [(row[0], row[1], row[4]) for row in dlr.lines("alerts")] == [
            ("team", "not used yet", "every severity"),
            ("boss", "not used yet", "critical and graver"),
        ]

    def test_one_that_told_something_says_when(self, world: World, dlr: Dlr) -> None:
        world.see()
        world.work()
        for route in dlr.json("alerts", "list"):
            assert route["works"] is True
            assert route["told_last"]
            assert route["waiting"] == 0

    def test_one_that_is_dead_says_so_and_what_waits_for_it(self, world: World, dlr: Dlr, target: Target) -> None:
        target.server_close()
        target.shutdown()
        world.see()
        world.work()
        dead, works = dlr.json("alerts", "list")
        assert (dead["route"], dead["works"], works["works"]) == ("team", False, True)
        assert dead["error"]
        assert dead["waiting"] >= 1
        [line, _] = dlr.lines("alerts", "list")
        assert line[1].startswith("fails: ")
        looked = dlr.run("doctor").output
        assert "team fails: " in looked
        assert "dlr alerts test team" in looked

    def test_a_test_reaches_that_route_alone(self, dlr: Dlr, target: Target, other: Target) -> None:
        assert "took a test message" in dlr("alerts", "test", "team")
        assert posted(target)
        assert posted(other) == []
        assert dlr.json("alerts", "test", "boss") == {"route": "boss", "works": True}

    def test_one_that_does_not_work_is_a_failure_and_one_that_is_not_there_is_named(self, dlr: Dlr) -> None:
        assert "Did you mean team" in dlr.fails("alerts", "test", "teem")
        with serving() as gone:
            url = json_url(gone)
        Path(dlr.settings["DLR_ALERT_ROUTES"]).write_text(f'[team]\nurl = "{url}"\n')
        assert "does not work" in dlr.fails("alerts", "test", "team")

    def test_a_broken_file_of_routes_is_told_with_its_setting(self, dlr: Dlr) -> None:
        Path(dlr.settings["DLR_ALERT_ROUTES"]).write_text("[team")
        assert "DLR_ALERT_ROUTES" in dlr.fails("alerts", "list", code=2)

    def test_without_any_it_says_where_incidents_are_told(self, dlr: Dlr) -> None:
        result = dlr.run("alerts", alert_routes="")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "log only" in result.stderr
