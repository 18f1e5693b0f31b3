"""One pack per person: what was sent, came back and was decided, opt-outs and lifts, with the trails verified."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from cli.evidence.pack import LISTS
from store.database import Database
from store.messages import key_of
from store.schema import decisions, reports, retries, suppression_audit, suppressions
from store.vault import Vault
from tests.resend.world import World
from tests.resend.world import world as make_world
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

OTHER = "447700900456"


@pytest.fixture
def world(database: Database, vault: Vault, tmp_path: Path) -> Iterator[World]:
    with make_world(database, vault, tmp_path) as made:
        yield made


@pytest.fixture
def story(world: World, dlr: Dlr) -> str:
    """A message that failed, was resent and arrived; an opt-out, and its lift by hand. Return the opt-out's id."""
    world.register()
    world.fail()
    world.run(hours=2)
    world.deliver("m-1-r1")
    world.fail("m-2", 603)
    world.fail("others-1", 603, to=OTHER)
    mine = world.desk.vault.hash_address("main", PERSON)
    [entry] = [row for row in world.desk.rows(suppressions) if row.address == mine]
    reason = f"wrote to support from +{PERSON}, ticket 4711"
    dlr("suppress", "lift", str(entry.id), "--reason", reason, "--who", "ada", four_eyes="true")
    [[request, *_]] = dlr.lines("suppress", "requests")
    dlr("suppress", "approve", request, "--who", "ben")
    dlr("suppress", "protect", PERSON, "--until", "90d", "--who", "cleo", "--reason", "the auditor's own")
    return str(entry.id)


def only(rows: list[Any]) -> Any:
    [row] = rows
    return row


@pytest.mark.usefixtures("world")
class TestTheWholeStory:
    def test_it_says_what_was_sent_what_came_back_and_what_was_decided_by_which_rule(
        self, story: str, dlr: Dlr
    ) -> None:
        pack = dlr.json("evidence", f"+{PERSON}", "--who", "dora")
        assert (pack["known"], pack["trails_whole"], pack["made_by"]) == (True, True, "dora")
        assert [row["message_id"] for row in pack["sends"]] == ["m-1"]
        assert {(row["message_id"], row["state"]) for row in pack["messages"]} == {
            ("m-1", "delivered"),
            ("m-2", "failed"),
        }
        first = pack["reports"][0]
        assert first["codes"] == ["9 UNDELIVERABLE_NOT_DELIVERED", "27 EC_ABSENT_SUBSCRIBER"]
        decision = only(first["decisions"])
        assert decision["rule"] == "unreachable"
        assert all(decision[name] for name in ("reason", "policy", "tables", "decided_at"))
        resend = only(pack["resends"])
        assert (resend["new_id"], resend["state"]) == ("m-1-r1", "accepted")
        assert resend["decision"]["rule"] == "unreachable"

    def test_it_says_of_an_opt_out_who_lifted_it_when_and_why_and_that_the_chain_is_whole(
        self, story: str, dlr: Dlr
    ) -> None:
        pack = dlr.json("evidence", PERSON)
        entry = only(pack["suppressions"])
        assert (entry["id"], entry["cause"], entry["state"]) == (story, "recipient_opted_out", "lifted")
        assert entry["evidence"]["reason"]
        lifted = entry["audit"][-1]
        assert (lifted["change"], lifted["who"]) == ("lifted", "ada and ben")
        assert "ticket 4711" in lifted["detail"]
        assert lifted["at"]
        assert entry["trail"]["whole"]
        assert entry["trail"]["head"] == lifted["hash"]
        request = only(pack["lift_requests"])
        assert (request["who"], request["decided_by"], request["state"]) == ("ada", "ben", "approved")
        assert only(pack["protections"])["who"] == "cleo"

    def test_people_read_the_same_in_dated_sections(self, story: str, dlr: Dlr) -> None:
        told = dlr("evidence", PERSON)
        for part in (
            "WHAT IS DELETED BY NOW",
            "reports: from before 20",
            "m-1 by sms: told",
            "the original failed",
            "attempt 1 delivered",
            "27 EC_ABSENT_SUBSCRIBER",
            "rule unreachable",
            "as m-1-r1 left, and Infobip has it",
            "recipient_opted_out",
            "lifted by ada and ben",
            "chain of 2 changes whole, head ",
            f"ada asked to lift {story}",
            "protected by cleo",
            "AUDIT TRAIL: 1 trail checked, none broken",
        ):
            assert part in told, part

    def test_nothing_of_another_person_is_in_it(self, story: str, dlr: Dlr) -> None:
        for form in ("text", "json"):
            told = dlr("evidence", PERSON, "--reveal", "--format", form)
            assert "others-1" not in told
            assert OTHER not in told
        theirs = dlr.json("evidence", OTHER)
        assert [row["message_id"] for row in theirs["reports"]] == ["others-1"]
        assert theirs["lift_requests"] == theirs["sends"] == theirs["resends"] == []

    def test_the_address_is_in_clear_only_when_asked_for_even_where_somebody_typed_it(
        self, story: str, dlr: Dlr
    ) -> None:
        for form in ("text", "json"):
            assert PERSON not in dlr("evidence", PERSON, "--format", form)
            # Over message id and address without a key: whoever has one could try the other.
            assert "fingerprint" not in dlr("evidence", PERSON, "--format", form)
            assert dlr("evidence", PERSON, "--reveal", "--format", form).count(PERSON) > 2

    def test_the_address_can_come_from_standard_input(self, story: str, dlr: Dlr) -> None:
        assert only(dlr.json("evidence", "-", answer=f"+{PERSON}\n")["suppressions"])["id"] == story
        assert "one person" in dlr.fails("evidence", "-", answer=f"{PERSON}\n{OTHER}\n", code=2)

    def test_messages_decisions_and_the_list_outlive_the_reports(self, story: str, world: World, dlr: Dlr) -> None:
        with world.desk.database.transaction() as connection:
            connection.execute(reports.delete())
        pack = dlr.json("evidence", PERSON)
        assert pack["reports"] == []
        assert {row["message_id"] for row in pack["messages"]} == {"m-1", "m-2"}
        assert only(pack["resends"])["decision"]["reason"]
        assert only(pack["suppressions"])["evidence"]["reason"]


class TestATamperedTrail:
    def test_a_changed_row_is_named_and_fails(self, story: str, world: World, dlr: Dlr) -> None:
        with world.desk.database.transaction() as connection:
            mine = suppression_audit.c.suppression_id == int(story)
            connection.execute(update(suppression_audit).where(mine).values(who="somebody else"))
        result = dlr.run("evidence", PERSON)
        assert result.exit_code == 1
        assert "CHAIN BROKEN: this row, or one before it" in result.stdout
        assert "<-- HERE" in result.stdout
        assert f"AUDIT TRAIL: 1 trail checked, BROKEN: {story}" in result.stdout
        assert story in result.stderr
        pack = json.loads(dlr.run("evidence", PERSON, "--format", "json").stdout)
        assert pack["trails_whole"] is False
        assert only(pack["suppressions"])["trail"]["problem"]

    def test_a_trail_that_is_gone_as_a_whole_fails_even_where_its_head_is_gone_too(
        self, story: str, world: World, dlr: Dlr
    ) -> None:
        with world.desk.database.transaction() as connection:
            connection.execute(suppression_audit.delete())
            connection.execute(update(suppressions).values(audit_head=b""))
        assert "is not whole" in dlr.fails("evidence", PERSON)

    def test_that_of_another_person_is_not_this_ones(self, story: str, world: World, dlr: Dlr) -> None:
        with world.desk.database.transaction() as connection:
            others = suppression_audit.c.suppression_id != int(story)
            connection.execute(update(suppression_audit).where(others).values(who="somebody else"))
        assert dlr.json("evidence", PERSON)["trails_whole"]
        assert dlr.run("evidence", OTHER).exit_code == 1


class TestAFile:
    def test_only_its_owner_can_read_it(self, story: str, dlr: Dlr, tmp_path: Path) -> None:
        path = tmp_path / "pack.json"
        assert dlr("evidence", PERSON, "--output", str(path), "--format", "json") == ""
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert only(json.loads(path.read_text("utf-8"))["suppressions"])["id"] == story

    def test_it_takes_no_other_files_place_unless_told_to(self, desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
        path = tmp_path / "pack.txt"
        path.write_text("mine")
        path.chmod(0o644)
        assert "--force" in dlr.fails("evidence", PERSON, "--output", str(path), code=2)
        assert path.read_text() == "mine"
        dlr("evidence", PERSON, "--output", str(path), "--force")
        assert path.read_text().startswith("EVIDENCE about …23")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [one.name for one in tmp_path.glob("*pack*")] == ["pack.txt"]

    def test_force_without_a_file_is_a_mistake(self, desk: Desk, dlr: Dlr) -> None:
        assert "--output" in dlr.fails("evidence", PERSON, "--force", code=2)

    def test_a_folder_that_is_not_there_is_told(self, desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
        assert "There is no folder" in dlr.fails(
            "evidence", PERSON, "--output", str(tmp_path / "none" / "pack.txt"), code=2
        )


def test_of_somebody_nobody_knows_it_says_so(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("others-1", 5, to=OTHER))
    assert "NOTHING IS STORED about …23" in dlr("evidence", PERSON)
    pack = dlr.json("evidence", PERSON)
    assert pack["known"] is False
    assert pack["accounts"] == []
    assert all(pack[name] == [] for name in LISTS)


def test_each_account_that_knows_the_person_is_told_apart(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("order-1", 5))
    desk.handle(report("order-2", 9, 603), account="shop")
    pack = dlr.json("evidence", PERSON)
    assert [one["account"] for one in pack["accounts"]] == ["main", "shop"]
    assert {(row["account"], row["message_id"]) for row in pack["reports"]} == {
        ("main", "order-1"),
        ("shop", "order-2"),
    }
    pack = dlr.json("evidence", PERSON, "--account", "main")
    assert [row["message_id"] for row in pack["reports"]] == ["order-1"]
    assert pack["suppressions"] == []
    assert "Did you mean shop" in dlr.fails("evidence", PERSON, "--account", "shopp", code=2)


def test_an_account_that_no_setting_names_and_that_only_sent_is_found(world: World, dlr: Dlr) -> None:
    vault = world.desk.vault
    key = key_of(vault, "shop", "m-1", PERSON)
    world.register(account="shop", key=key, recipient=vault.hash_address("shop", PERSON))
    pack = dlr.json("evidence", PERSON)
    assert [(row["account"], row["message_id"]) for row in pack["sends"]] == [("shop", "m-1")]


def test_a_resend_that_went_to_another_address_is_in_the_pack_of_that_one(world: World, dlr: Dlr) -> None:
    world.register()
    world.fail()
    mail = "jo@example.com"
    with world.desk.database.transaction() as connection:
        connection.execute(update(retries).values(reached=world.desk.vault.hash_address("main", mail)))

    for address in (mail, PERSON):
        pack = dlr.json("evidence", address)
        assert [(row["message_id"], row["attempt"]) for row in pack["resends"]] == [("m-1", 1)]


def test_a_replay_is_told_beside_the_first_decision(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("order-1", 9, 27))
    [first] = desk.rows(decisions)
    again = first._asdict() | {"id": first.id + 1, "replay": True, "rule": "another", "reason": "decided anew"}
    with desk.database.transaction() as connection:
        connection.execute(decisions.insert().values(**again))
    made = only(dlr.json("evidence", PERSON)["reports"])["decisions"]
    assert [(row["rule"], row["replay"]) for row in made] == [("unreachable", False), ("another", True)]
    assert "again, by a replay: decided anew" in dlr("evidence", PERSON)


def test_more_than_one_page_is_told_whole(desk: Desk, dlr: Dlr) -> None:
    desk.handle(*(report(f"n-{number}", 5, minute=number) for number in range(1_001)))
    pack = dlr.json("evidence", PERSON)
    assert [row["message_id"] for row in pack["reports"]] == [f"n-{number}" for number in range(1_001)]
    assert all(len(row["decisions"]) == 1 for row in pack["reports"])
    assert len(pack["messages"]) == 1_001


def test_what_others_wrote_forges_no_line(desk: Desk, dlr: Dlr) -> None:
    dlr("suppress", "add", PERSON, "--reason", "asked\nAUDIT TRAIL: forged", "--who", "ada")
    told = dlr("evidence", PERSON)
    assert "forged" in told
    assert not any(line.startswith("AUDIT TRAIL: forged") for line in told.splitlines())


def test_a_forgotten_person_has_what_keeps_them_from_being_written_to(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("order-1", 9, 603))
    dlr("forget", PERSON, "--yes")
    pack = dlr.json("evidence", PERSON, "--reveal")
    assert only(pack["accounts"])["recipient"] == "(forgotten)"
    assert only(pack["suppressions"])["audit"][-1]["change"] == "evidence removed"
    assert pack["trails_whole"]
    assert pack["reports"] == pack["messages"] == pack["sends"] == []
