"""What people do to the list by hand: add, lift, protect, undo, decide on what is held and proposed, and check."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from policy import Mode
from store import trail
from store.schema import guard_holds, incidents, suppression_audit, suppressions
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr
from tests.suppress.people import act, bounce, maintain, opted_out


def states(desk: Desk) -> list[str]:
    return sorted(row.state for row in desk.rows(suppressions))


def only_id(desk: Desk) -> str:
    [row] = desk.rows(suppressions)
    return str(row.id)


def is_whole(desk: Desk) -> bool:
    with desk.database.reading() as connection:
        return all(not trail.verify(connection, row.id).problem for row in desk.rows(suppressions))


class TestAdding:
    def test_an_address_that_was_added_is_blocked_in_every_spelling(self, desk: Desk, dlr: Dlr) -> None:
        assert (
            dlr("suppress", "add", "+44 7700 900123", "--who", "ada", "--reason", "asked on the phone") == "1 added.\n"
        )
        [[masked, verdict, *_]] = dlr.lines("suppress", "check", PERSON, "--channel", "sms")
        assert verdict == "blocked"
        assert PERSON not in masked
        [row] = desk.rows(suppression_audit)
        assert row.who == "ada"

    def test_it_is_added_once_and_a_longer_one_prolongs_it(self, desk: Desk, dlr: Dlr) -> None:
        dlr("suppress", "add", PERSON, "--until", "1d")
        assert dlr("suppress", "add", PERSON, "--until", "12h") == "1 stands already.\n"
        dlr("suppress", "add", PERSON)
        [row] = desk.rows(suppressions)
        assert row.until is None

    def test_bounds_are_heeded(self, dlr: Dlr, desk: Desk) -> None:
        dlr("suppress", "add", PERSON, "--channel", "sms", "--sender", "Shop", "--purpose", "marketing")
        check = ("suppress", "check", PERSON, "--sender", "Shop", "--channel")
        assert [dlr.json(*check, channel, "--purpose", "marketing")[0]["blocked"] for channel in ("sms", "voice")] == [
            True,
            False,
        ]
        assert dlr.lines(*check, "sms")[0][1] == "passes, flagged: no marketing"
        assert dlr.lines(*check, "sms", "--purpose", "otp")[0][1] == "passes"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--channel", "smss"), "Did you mean sms"),
            (("--cause", "opted_oout"), "Did you mean"),
            (("--until", "2020-01-01"), "past"),
        ],
    )
    def test_a_wrong_word_is_told_with_the_right_one(self, dlr: Dlr, words: tuple[str, ...], said: str) -> None:
        assert said in dlr.fails("suppress", "add", PERSON, *words, code=2)

    def test_a_later_delivery_does_not_lift_what_a_person_added(self, dlr: Dlr, desk: Desk) -> None:
        dlr("suppress", "add", PERSON)
        desk.handle(report("m-1", 5, minute=400_000))
        assert states(desk) == ["active"]


class TestLifting:
    def test_an_opt_out_is_lifted_only_with_a_reason_and_by_a_name(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 603))
        assert "--reason" in dlr.fails("suppress", "lift", only_id(desk))
        assert states(desk) == ["active"]
        dlr("suppress", "lift", only_id(desk), "--reason", "wrote to support", "--who", "ada")
        assert states(desk) == ["lifted"]
        last = desk.rows(suppression_audit)[-1]
        assert (last.who, last.change, last.detail) == ("ada", "lifted", "wrote to support")
        assert is_whole(desk)

    def test_with_four_eyes_a_second_person_has_to_agree(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 603))
        told = dlr("suppress", "lift", only_id(desk), "--reason", "wrote", "--who", "ada", four_eyes="true")
        assert "second person" in told
        assert states(desk) == ["active"]
        [[request, *_]] = dlr.lines("suppress", "requests")
        assert "second person" in dlr.fails("suppress", "approve", request, "--who", "Ada")
        assert states(desk) == ["active"]
        dlr("suppress", "approve", request, "--who", "ben")
        assert states(desk) == ["lifted"]
        assert desk.rows(suppression_audit)[-1].who == "ada and ben"
        assert "no open request" in dlr.fails("suppress", "approve", request, "--who", "cleo")

    def test_a_request_can_be_refused_and_asked_for_again(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 603))
        ask = ("suppress", "lift", only_id(desk), "--reason", "wrote", "--who", "ada")
        dlr(*ask, four_eyes="true")
        assert "already" in dlr.fails(*ask, four_eyes="true")
        [[request, *_]] = dlr.lines("suppress", "requests")
        dlr("suppress", "approve", request, "--refuse", "--who", "ben")
        dlr(*ask, four_eyes="true")
        assert states(desk) == ["active"]

    def test_what_failures_made_needs_neither(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 1))
        dlr("suppress", "lift", PERSON, four_eyes="true")
        assert states(desk) == ["lifted"]

    def test_what_somebody_adds_after_a_lift_is_theirs_whoever_it_came_from_before(self, desk: Desk, dlr: Dlr) -> None:
        dlr("suppress", "add", PERSON, "--cause", "recipient_blocklisted")
        with desk.database.transaction() as connection:
            connection.execute(update(suppressions).values(origin="infobip"))
        dlr("suppress", "lift", PERSON, "--reason", "wrote")
        dlr("suppress", "add", PERSON, "--cause", "recipient_blocklisted")
        [entry] = desk.rows(suppressions)
        assert (entry.state, entry.origin) == ("active", "operator")

    def test_what_is_lifted_is_said_to_be(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 1))
        dlr("suppress", "lift", only_id(desk))
        assert "is lifted already" in dlr.fails("suppress", "lift", only_id(desk))

    def test_an_older_failure_does_not_bring_back_what_a_person_lifted(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 603))
        dlr("suppress", "lift", PERSON, "--reason", "wrote")
        desk.handle(report("m-2", 9, 603, minute=5))
        assert states(desk) == ["lifted"]


class TestProtecting:
    def test_in_json_its_beginning_and_its_end_are_objects_too(self, dlr: Dlr) -> None:
        assert dlr.json("suppress", "protect", PERSON) == {"protected": 1, "until": None, "lifted": 0}
        assert dlr.json("suppress", "protect", PERSON, "--end") == {"ended": 1}

    def test_failures_do_not_suppress_a_protected_address_and_the_decision_says_so(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 1))
        assert "1 entry lifted." in dlr("suppress", "protect", PERSON, "--until", "30d", "--who", "ada")
        desk.handle(report("m-2", 9, 1, minute=500_000))
        assert states(desk) == ["lifted"]
        assert "protects the address" in dlr("message", "m-2")

    def test_opt_outs_are_heeded_all_the_same(self, desk: Desk, dlr: Dlr) -> None:
        dlr("suppress", "protect", PERSON)
        desk.handle(report("m-1", 9, 603))
        assert states(desk) == ["active"]

    def test_nobody_adds_it_before_the_protection_ends(self, desk: Desk, dlr: Dlr) -> None:
        dlr("suppress", "protect", PERSON)
        assert "--end" in dlr.fails("suppress", "add", PERSON)
        dlr("suppress", "protect", PERSON, "--end")
        dlr("suppress", "add", PERSON)
        assert states(desk) == ["active"]


class TestUndoing:
    def test_everything_a_rule_did_is_counted_and_undone_and_nothing_else(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(*[bounce(number) for number in range(30)], channel="email")
        desk.handle(report("m-1", 9, 603))
        counts = dlr.lines("suppress", "undo", "--rule", "unknown-recipient", "--from", "1h", "--yes")
        assert counts == [["30", "proposed", "recipient_unknown"], ["30 suppressions are undone."]]
        assert states(desk) == ["active"] + ["dropped"] * 30
        assert is_whole(desk)

    def test_without_a_yes_nothing_is_undone(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 1))
        dlr.fails("suppress", "undo", "--rule", "unknown-recipient", "--from", "1h", answer="n\n")
        assert states(desk) == ["proposed"]

    def test_what_the_rule_did_before_stays(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 1))
        later = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
        dlr("suppress", "undo", "--rule", "unknown-recipient", "--from", later, "--yes")
        assert states(desk) == ["proposed"]

    def test_opt_outs_are_undone_only_with_a_reason_and_never_with_four_eyes(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(opted_out(1))
        undo = ("suppress", "undo", "--rule", "opted-out", "--from", "1h", "--yes")
        dlr.fails(*undo, code=2)
        dlr.fails(*undo, "--reason", "a wrong code", four_eyes="true")
        assert states(desk) == ["active"]
        dlr(*undo, "--reason", "a wrong code")
        assert states(desk) == ["dropped"]


class TestHeldGroups:
    @pytest.fixture(autouse=True)
    def surge(self, desk: Desk) -> None:
        act(desk)
        desk.handle(*[bounce(number) for number in range(600)], channel="email")
        maintain(desk)

    def group(self, desk: Desk) -> str:
        [hold] = desk.rows(guard_holds)
        return str(hold.id)

    def test_check_says_held_and_blocks_nobody(self, dlr: Dlr) -> None:
        [[_, verdict, cause, *_]] = dlr.lines("suppress", "check", "person7@example.com", "--channel", "email")
        assert (verdict, cause) == ("passes: held, and waits for a person", "recipient_unknown")

    def test_message_and_show_say_held(self, dlr: Dlr) -> None:
        assert "held back among many others" in dlr("message", "b-example.com-7-6006")
        assert "blocks nothing until a person decides" in dlr("suppress", "show", "person7@example.com")

    def test_the_list_says_how_many_and_of_how_many(self, dlr: Dlr) -> None:
        [[_, state, what, held, causes, *_]] = dlr.lines("suppress", "held", "list")
        assert (state, what, held, causes) == ("open", "domain example.com", "600", "recipient_unknown 600")

    def test_release_suppresses_them_and_ends_the_incident(self, desk: Desk, dlr: Dlr) -> None:
        told = dlr.lines("suppress", "held", "release", self.group(desk), "--who", "ada", "--yes")
        assert told == [["600", "recipient_unknown"], ["600 suppressed."]]
        assert set(states(desk)) == {"active"}
        assert {row.state for row in desk.rows(incidents)} == {"resolved"}
        assert {row.who for row in desk.rows(suppression_audit) if row.change == "accepted"} == {"ada"}
        desk.handle(*[bounce(1_000 + number) for number in range(100)], channel="email")
        maintain(desk)
        assert set(states(desk)) == {"active"}

    def test_drop_forgets_them_and_a_later_failure_counts_anew(self, desk: Desk, dlr: Dlr) -> None:
        dlr("suppress", "held", "drop", self.group(desk), "--yes")
        assert set(states(desk)) == {"dropped"}
        desk.handle(bounce(1, message="again", minute=30), channel="email")
        assert set(states(desk)) == {"dropped"}

    def test_without_a_yes_nothing_happens(self, desk: Desk, dlr: Dlr) -> None:
        dlr.fails("suppress", "held", "release", self.group(desk), answer="n\n")
        assert set(states(desk)) == {"held"}

    def test_a_reminder_comes_daily_while_they_are_held_and_none_after(self, desk: Desk, dlr: Dlr) -> None:
        now = datetime.now(UTC)
        assert maintain(desk, now + timedelta(hours=11)) == []
        with desk.database.transaction() as connection:
            connection.execute(update(incidents).values(told_at=now - timedelta(hours=25)))
        [again] = maintain(desk, now + timedelta(hours=25))
        assert again.reminder
        assert again.count == 600
        dlr("suppress", "held", "drop", self.group(desk), "--yes")
        assert maintain(desk, now + timedelta(hours=60)) == []

    def test_a_group_that_is_decided_or_unknown_is_refused(self, desk: Desk, dlr: Dlr) -> None:
        group = self.group(desk)
        dlr("suppress", "held", "drop", group, "--yes")
        dlr.fails("suppress", "held", "release", group, "--yes")
        dlr.fails("suppress", "held", "release", "12345", "--yes")


class TestProposals:
    def test_accepting_blocks_and_says_who(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 1))
        [[number, *_]] = dlr.lines("proposals", "list")
        assert dlr.lines("suppress", "check", PERSON, "--channel", "sms")[0][1].startswith("passes: proposed")
        dlr("proposals", "accept", number, "--who", "ada")
        assert dlr.lines("suppress", "check", PERSON, "--channel", "sms")[0][1] == "blocked"
        last = desk.rows(suppression_audit)[-1]
        assert (last.change, last.who) == ("accepted", "ada")

    def test_dropping_ends_it_until_a_later_failure_proposes_anew(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 1))
        dlr("proposals", "drop", "--rule", "unknown-recipient", "--yes")
        assert states(desk) == ["dropped"]
        desk.handle(report("m-2", 9, 1, minute=5))
        assert states(desk) == ["dropped"]

    def test_all_of_a_rule_are_counted_first(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(*[bounce(number) for number in range(30)], channel="email")
        assert dlr.lines("proposals", "list", "--counts") == [["unknown-recipient", "recipient_unknown", "30"]]
        told = dlr.lines("proposals", "accept", "--all", "--yes")
        assert told == [["30", "unknown-recipient", "recipient_unknown"], ["30 accepted."]]

    def test_what_a_person_accepted_is_not_taken_back_by_the_guard(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(*[bounce(number) for number in range(30)], channel="email")
        dlr("proposals", "accept", "--all", "--yes")
        act(desk, Mode.PROPOSE)
        desk.handle(*[bounce(100 + number) for number in range(60)], channel="email")
        maintain(desk)
        assert states(desk) == ["active"] * 30 + ["held"] * 60

    def test_exactly_one_way_to_name_them(self, dlr: Dlr) -> None:
        dlr.fails("proposals", "accept", code=2)
        dlr.fails("proposals", "accept", "1", "--all", code=2)


class TestFiles:
    def test_what_is_exported_can_be_imported_again(self, desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
        dlr("suppress", "add", PERSON, "--channel", "sms", "--until", "30d")
        dlr("suppress", "add", "jo@example.com", "--channel", "email", "--until", "30d")
        desk.handle(report("m-1", 9, 603))
        file = tmp_path / "list.csv"
        dlr("suppress", "export", "--output", str(file))
        lines = file.read_text().splitlines()
        assert len(lines) == 4
        assert PERSON in file.read_text()
        before = {(row.address, row.scope, row.cause, row.until) for row in desk.rows(suppressions)}
        with desk.database.transaction() as connection:
            connection.execute(suppressions.delete())
        assert dlr("suppress", "import", str(file)) == "3 added, 0 stood already.\n"
        assert {(row.address, row.scope, row.cause, row.until) for row in desk.rows(suppressions)} == before
        assert dlr("suppress", "import", str(file)) == "0 added, 3 stood already.\n"

    def test_a_bad_line_is_told_with_its_number_and_the_others_are_imported(
        self, desk: Desk, dlr: Dlr, tmp_path: Path
    ) -> None:
        file = tmp_path / "list.csv"
        file.write_text(
            "address,channel,cause,until\n447700900001,sms,opted_out,\n447700900002,fax,,\n,sms,,\n"
            "447700900003,sms,,soon\n447700900004,,,\n447700900005\n"
        )
        result = dlr.run("suppress", "import", str(file))
        assert result.exit_code == 1
        assert result.stdout == "2 added, 0 stood already.\n"
        for line in ("line 3: there is no channel 'fax'", "line 4: the address", "line 5: until", "line 7: it has"):
            assert line in result.stderr
        assert "447700900" not in result.stderr
        assert states(desk) == ["active", "active"]

    def test_what_is_wrong_with_a_line_names_nobody_whose_address_stands_in_the_wrong_column(
        self, desk: Desk, dlr: Dlr, tmp_path: Path
    ) -> None:
        file = tmp_path / "list.csv"
        names = ("account", "channel", "purpose", "cause", "state", "until")
        cells = [",".join(PERSON if one == name else "" for one in names) for name in names]
        file.write_text(f"address,{','.join(names)}\n" + "".join(f"447700900001,{line}\n" for line in cells))
        result = dlr.run("suppress", "import", str(file))
        assert (result.exit_code, result.stdout) == (1, "0 added, 0 stood already.\n")
        assert "line 3: there is no channel '…23'" in result.stderr
        assert PERSON not in result.stderr

    def test_an_end_that_no_calendar_has_is_a_bad_line(self, desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
        file = tmp_path / "list.csv"
        file.write_text("address,until\n447700900001,9999-12-31T23:59:59-05:00\n447700900002,9999-12-31T23:59:59Z\n")
        result = dlr.run("suppress", "import", str(file))
        assert (result.exit_code, result.stdout) == (1, "1 added, 0 stood already.\n")
        assert "line 2: until is '9999-12-31T23:59:59-05:00'" in result.stderr
        assert len(dlr.json("suppress", "list")) == 1

    def test_what_is_over_already_changes_nothing_of_what_is_known(self, desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
        desk.handle(report("m-1", 9, 1))
        [before] = desk.rows(suppressions)
        assert before.state == "proposed"
        file = tmp_path / "list.csv"
        file.write_text(f"address,channel,cause,until\n{PERSON},sms,{before.cause},2026-03-01\n")
        assert dlr("suppress", "import", str(file)) == "0 added, 1 stood already.\n"
        dlr("suppress", "lift", str(before.id), "--reason", "a mistake")
        assert dlr("suppress", "import", str(file)) == "0 added, 1 stood already.\n"
        assert states(desk) == ["lifted"]

    def test_a_cell_without_a_state_is_of_what_is_active(self, desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
        file = tmp_path / "list.csv"
        file.write_text("address,state\n447700900001,\n")
        assert dlr("suppress", "import", str(file)) == "1 added, 0 stood already.\n"

    def test_a_dry_run_imports_nothing(self, desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
        file = tmp_path / "list.csv"
        file.write_text("address\n447700900001\n")
        assert "1 line is good" in dlr("suppress", "import", str(file), "--dry-run")
        assert states(desk) == []

    def test_a_file_without_a_header_is_refused(self, dlr: Dlr, tmp_path: Path) -> None:
        file = tmp_path / "list.csv"
        file.write_text("447700900001\n447700900002\n")
        assert "address" in dlr.fails("suppress", "import", str(file), code=2)

    def test_many_lines_go_in_portions(self, desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
        file = tmp_path / "list.csv"
        file.write_text("address\n" + "".join(f"{447_700_000_000 + number}\n" for number in range(1_700)))
        assert dlr("suppress", "import", str(file)) == "1700 added, 0 stood already.\n"
        assert len(states(desk)) == 1_700
        assert is_whole(desk)


class TestTheTrail:
    def test_tells_who_entered_what_no_rule_led_to(self, desk: Desk, dlr: Dlr) -> None:
        dlr("suppress", "add", PERSON, "--reason", "wrote", "--who", "ada")
        assert dlr("suppress", "audit", only_id(desk)).splitlines()[0].endswith("suppressed by ada")

    def test_it_is_verified_and_a_change_of_a_row_shows(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 603))
        dlr("suppress", "lift", PERSON, "--reason", "wrote", "--who", "ada")
        number = only_id(desk)
        assert "is whole" in dlr("suppress", "audit", number)
        last = desk.rows(suppression_audit)[-1]
        with desk.database.transaction() as connection:
            connection.execute(
                update(suppression_audit).where(suppression_audit.c.id == last.id).values(who="somebody else")
            )
        assert "not whole" in dlr.fails("suppress", "audit", number)
        assert "NOT WHOLE" in dlr("suppress", "show", number)

    def test_a_row_that_is_missing_shows(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1", 9, 603))
        dlr("suppress", "lift", PERSON, "--reason", "wrote")
        with desk.database.transaction() as connection:
            last = desk.rows(suppression_audit)[-1]
            connection.execute(suppression_audit.delete().where(suppression_audit.c.id == last.id))
        assert "rows are missing" in dlr.fails("suppress", "audit", only_id(desk))


def test_a_number_that_was_deactivated_is_freed_by_an_opt_in_and_by_no_delivery(desk: Desk, dlr: Dlr) -> None:
    dlr("suppress", "add", PERSON, "--cause", "deactivated")
    with desk.database.transaction() as connection:
        past = datetime(2026, 3, 1, tzinfo=UTC)
        connection.execute(update(suppressions).values(since=past, event_at=past))
    desk.handle(report("m-1", 5, minute=1))
    assert states(desk) == ["active"]
    inbound = {
        "messageId": "in-1",
        "from": PERSON,
        "to": "Shop",
        "text": "START",
        "receivedAt": report(minute=5)["doneAt"],
    }
    desk.handle(inbound)
    assert states(desk) == ["lifted"]
