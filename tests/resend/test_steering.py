"""A person steers resends: what they stop never leaves, what they start leaves once, and every last check holds."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from codes import shipped
from infobip.simulator import Simulator
from store import aliases, incidents, messages, schema
from store.aliases import Original
from store.incidents import Sighting
from store.schema import contents, reports, retries
from tests.resend.world import PERSON, World
from tests.support.desk import report
from tests.support.dlr import Dlr
from workers.actions.resend import refused
from workers.actions.resend.never_left import NeverLeft
from workers.actions.resend.preview import Previewer

NO_CREDIT = 12
DELIVERED = 5


def sent(infobip: Simulator) -> list[str]:
    return [send["messageId"] for send in infobip.sends()]


def only_observed(folder: Path) -> None:
    path = folder / "policy.toml"
    path.write_text(path.read_text("utf-8").replace('retry = "act"', 'retry = "observe"'), "utf-8")


def test_a_cancelled_one_never_leaves_and_what_it_said_is_erased(world: World, dlr: Dlr) -> None:
    world.register()
    world.fail()
    dlr("retries", "cancel", "m-1", "--yes", "--reason", "settled by phone")
    world.run(hours=2)

    assert world.states() == [(1, "cancelled")]
    assert sent(world.infobip) == []
    assert world.desk.rows(contents) == []


def test_a_run_one_leaves_at_once_and_once(world: World, dlr: Dlr) -> None:
    world.register()
    world.fail()
    assert world.run() == 0

    assert "leaves as soon as a worker takes it" in dlr("retries", "run", "m-1", "--yes")
    world.run()
    world.run(hours=2)

    assert sent(world.infobip) == ["m-1-r1"]
    assert world.states() == [(1, "accepted")]


def test_an_observed_one_that_is_run_leaves(world: World, dlr: Dlr, tmp_path: Path) -> None:
    world.register()
    world.fail()
    with world.desk.database.transaction() as connection:
        connection.execute(update(retries).values(state="observed", mode="observe"))
    world.run(hours=2)
    assert sent(world.infobip) == []

    world.clock.ahead = timedelta()
    dlr("retries", "run", "m-1", "--yes")
    world.run()

    assert sent(world.infobip) == ["m-1-r1"]


def test_running_what_goes_to_a_suppressed_person_cancels_it_with_the_reason(world: World, dlr: Dlr) -> None:
    world.register()
    world.fail("m-1")
    world.register("m-2")
    world.fail("m-2", error=603)
    with world.desk.database.transaction() as connection:
        connection.execute(update(retries).values(state="waiting", due_at=None, note="put aside"))

    said = dlr("retries", "run", "m-1", "--yes")
    assert "it will be cancelled: the recipient is suppressed: recipient_opted_out" in said
    world.run()

    [row] = world.rows()
    assert (row.state, row.note) == ("cancelled", "the recipient is suppressed: recipient_opted_out")
    assert sent(world.infobip) == []


def test_running_what_has_lost_its_worth_expires_it(world: World, dlr: Dlr) -> None:
    world.register()
    world.fail()
    world.register(not_after=datetime.now(UTC) - timedelta(minutes=1))
    assert "it will expire: the message has lost its worth" in dlr("retries", "run", "m-1", "--yes")
    world.run()

    assert [row.state for row in world.rows()] == ["expired"]
    assert sent(world.infobip) == []


def test_the_switch_holds_all_and_resuming_lets_them_go(world: World, dlr: Dlr) -> None:
    world.register()
    world.fail()
    dlr("retries", "pause", "--reason", "all wrong")
    dlr("retries", "run", "m-1", "--yes")
    world.run(hours=2)
    assert world.states() == [(1, "planned")]
    assert sent(world.infobip) == []

    assert "1 planned resend is released; 1 had been put off by it and is due now" in dlr("retries", "resume")
    world.run()

    assert sent(world.infobip) == ["m-1-r1"]


def test_what_a_pause_had_put_off_leaves_as_it_is_lifted_and_not_at_its_end(world: World, dlr: Dlr) -> None:
    world.register()
    world.fail()
    dlr("retries", "pause", "--scope", "network=23410", "--for", "1d", "--reason", "outage")
    dlr("retries", "run", "m-1", "--yes")
    world.run()
    [row] = world.rows()
    assert row.due_at > datetime.now(UTC) + timedelta(hours=23)

    dlr("retries", "resume", "--scope", "network=23410")
    world.run()

    assert sent(world.infobip) == ["m-1-r1"]


def in_doubt(world: World) -> None:
    """Let the answer to a resend be lost, and nobody find out what became of it."""
    world.register()
    world.fail()
    with world.desk.database.transaction() as connection:
        values = {"state": "unknown", "due_at": None, "new_id": "m-1-r1", "posts": 1, "sent_at": datetime.now(UTC)}
        connection.execute(update(retries).values(**values, note="a person has to decide: the logs show nothing"))


def test_one_in_doubt_leaves_once_more_under_its_own_id(world: World, dlr: Dlr) -> None:
    in_doubt(world)
    dlr("retries", "run", "m-1", "--not-in-portal")
    world.run()
    world.run(hours=2)

    assert sent(world.infobip) == ["m-1-r1"]
    assert world.states() == [(1, "accepted")]


def test_a_report_settles_what_was_left_in_doubt(world: World, dlr: Dlr) -> None:
    in_doubt(world)
    with world.desk.database.transaction() as connection:
        [row] = world.rows()
        key = messages.key_of(world.desk.vault, "main", "m-1-r1", PERSON)
        aliases.add(connection, key, "main", Original(row.message_key, 1), datetime.now(UTC))
    dlr("retries", "cancel", "m-1", "--yes")
    assert world.states() == [(1, "cancelled")]

    world.deliver("m-1-r1")

    assert world.states() == [(1, "accepted")]
    assert "delivered" in dlr.lines("message", "m-1")[0]


# ---------------------------------------------------------------- from-incident


def storm(world: World, count: int = 3) -> str:
    """Let Infobip refuse messages since the account has no credit, and return the incident's id."""
    for number in range(count):
        person = f"4477009001{number:02}"
        world.register(f"m-{number}", to=person)
        world.desk.handle(report(f"m-{number}", NO_CREDIT, to=person, price={"pricePerMessage": 0, "currency": "EUR"}))
    return incident(world)


def incident(world: World) -> str:
    world.desk.fold()
    [row] = [row for row in world.desk.rows(schema.incidents) if row.rule in ("account-funds", "resend-refused")]
    return str(row.id)


def test_what_was_refused_for_want_of_credit_is_listed_with_what_it_would_cost(world: World, dlr: Dlr) -> None:
    number = storm(world)
    price = {"pricePerMessage": 0.05, "currency": "EUR"}
    world.desk.handle(report("m-9", DELIVERED, to="447700900199", price=price))

    told = dlr.json("retries", "from-incident", number)

    assert (told["messages"], told["resendable"], told["cost"], told["currency"]) == (3, 3, "0.1500", "EUR")
    assert {row["message_id"] for row in told["list"]} == {"m-0", "m-1", "m-2"}
    assert world.rows() == []
    text = dlr.run("retries", "from-incident", number)
    assert "3 messages were refused, 3 can still be sent again, for at most about 0.15 EUR" in text.stderr
    assert "44770090" not in text.output


def test_what_was_refused_is_planned_under_a_rule_of_its_own_and_leaves_once(world: World, dlr: Dlr) -> None:
    number = storm(world)
    asked = dlr.run("retries", "from-incident", number, "--resend", answer="n\n")
    assert "Plan 3 resends, of which nobody knows the price yet?" in asked.stderr
    assert world.rows() == []

    assert "3 resends are planned" in dlr("retries", "from-incident", number, "--resend", "--yes")
    assert dlr.json("retries", "from-incident", number, "--resend", "--yes")["planned"] == 0
    assert {(row.rule, row.state, row.attempt) for row in world.rows()} == {("from-incident", "planned", 1)}
    world.run()

    assert sorted(sent(world.infobip)) == ["m-0-r1", "m-1-r1", "m-2-r1"]
    world.run(hours=1)
    assert len(sent(world.infobip)) == 3
    told = dlr.json("retries", "from-incident", number)
    assert {row["why"] for row in told["list"]} == {"attempt 1 is accepted already"}


def test_two_who_plan_the_same_at_once_plan_it_once(world: World, dlr: Dlr, tmp_path: Path) -> None:
    row = dlr.json("incidents", "show", storm(world, 4))
    row |= {"first_at": datetime.fromisoformat(row["first_at"]), "last_at": datetime.fromisoformat(row["last_at"])}
    database, rules = world.desk.database, world.desk.rules
    ours = NeverLeft("main", rules, Previewer(world.outlets(), world.desk.vault, lambda: rules))
    now = datetime.now(UTC)
    with database.reading() as connection:
        judged = ours.judge(connection, refused.failures(connection, row, shipped()), now)
    with ThreadPoolExecutor(4) as pool:
        planned = list(pool.map(lambda _: ours.plan(database.repeat, judged, now), range(4)))

    assert sum(planned) == 4
    assert world.states() == [(1, "planned")] * 4


def test_unless_the_operator_said_act_they_are_only_observed(world: World, dlr: Dlr, tmp_path: Path) -> None:
    number = storm(world, 1)
    only_observed(tmp_path)
    assert "mode of resends is observe" in dlr("retries", "from-incident", number, "--resend", "--yes")
    world.run(hours=1)
    assert world.states() == [(1, "observed")]
    assert sent(world.infobip) == []


def test_what_cannot_be_sent_again_says_why(world: World, dlr: Dlr) -> None:
    number = storm(world, 3)
    world.desk.handle(report("m-0", DELIVERED, to="447700900100"))
    world.register("m-1", to="447700900101", not_after=datetime.now(UTC))
    world.desk.handle(report("m-3", NO_CREDIT, to="447700900103"))
    opted = {"from": "447700900102", "to": "Shop", "text": "STOP", "receivedAt": report()["doneAt"]}
    world.desk.handle({"messageId": "in-1", **opted})

    told = dlr.json("retries", "from-incident", number, "--resend", "--yes")

    why = {row["message_id"]: row["why"] for row in told["list"]}
    assert why["m-0"] == "the message arrived"
    assert why["m-1"] == "the message has lost its worth"
    assert why["m-2"].startswith("the recipient is suppressed")
    assert "nobody said what it is for" in why["m-3"] or why["m-3"] == "content not registered"
    assert (told["resendable"], told["planned"]) == (0, 0)
    assert world.rows() == []


def test_what_infobip_charged_for_has_left_and_is_not_sent_again(world: World, dlr: Dlr) -> None:
    world.register("m-1")
    world.desk.handle(report("m-1", NO_CREDIT, price={"pricePerMessage": 0.05, "currency": "EUR"}))
    [row] = dlr.json("retries", "from-incident", incident(world))["list"]
    assert row["why"] == "Infobip charged for it: it left"


def test_a_resend_that_infobip_refused_is_found_by_its_incident(world: World, dlr: Dlr) -> None:
    world.register()
    world.fail()
    with world.desk.database.transaction() as connection:
        note = "Infobip refused it: REJECTED_NOT_ENOUGH_CREDITS: no credit"
        values: dict[str, Any] = {"state": "refused", "due_at": None, "new_id": "m-1-r1", "note": note}
        connection.execute(update(retries).values(**values))
        seen = Sighting(
            account="main",
            key="resend-refused|status=REJECTED_NOT_ENOUGH_CREDITS",
            rule="resend-refused",
            severity="error",
            title="Infobip refuses resends: REJECTED_NOT_ENOUGH_CREDITS",
            next_step="",
            at=datetime.now(UTC),
        )
        incidents.note(connection, [seen])

    dlr("retries", "from-incident", incident(world), "--resend", "--yes")
    world.run()

    assert world.states() == [(1, "refused"), (2, "accepted")]
    assert sent(world.infobip) == ["m-1-r2"]


def test_an_incident_that_is_not_about_refused_messages_says_so(world: World, dlr: Dlr) -> None:
    assert "There is no incident 12" in dlr.fails("retries", "from-incident", "12")
    number = storm(world, 1)
    with world.desk.database.transaction() as connection:
        connection.execute(update(reports).values(outcome="delivered"))
    result = dlr.run("retries", "from-incident", number)
    assert result.exit_code == 0
    assert "No message of incident" in result.stderr
    assert json.loads(dlr("retries", "from-incident", number, "--format", "json"))["messages"] == 0
