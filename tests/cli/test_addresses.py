"""Where people's addresses are kept, nobody sees; that they are, everybody who may does."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from codes import shipped
from config.forwarding import Endpoint, Endpoints
from config.relays import RelayTarget
from config.secrets import Secret
from policy import load_policy
from store import people
from store.events import address_of, open_event, told_to
from store.schema import addresses, events, inbox, messages, reports, suppressions
from store.suppressions import lift
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

OTHER = "447700900456"
MAIL = "ada@mail.example.org"


def a_mail(message: str = "mail-1") -> dict[str, Any]:
    return report(message, to=MAIL, sender="shop@example.com", mccMnc=None)


def found(desk: Desk, *spelled: str) -> list[str]:
    """Return the addresses as they are found by their hashes; empty where one is not."""
    with desk.database.reading() as connection:
        hashes = [desk.vault.hash_address("main", one) for one in spelled]
        return [people.address_of(connection, desk.vault, one) for one in hashes]


def endpoints(kind: str) -> Endpoints:
    target = RelayTarget("https://crm.example.com/hook", True, "crm.example.com", 443, "/hook")
    return Endpoints.of(Endpoint("crm", target, Secret("hush"), frozenset({kind})))


def an_event(number: int, recipient: bytes) -> dict[str, Any]:
    row = {"id": number, "key": bytes([number]) * 16, "account": "main", "kind": "message.delivered", "channel": "sms"}
    return row | {"at": datetime.now(UTC), "recipient": recipient, "message_key": b"", "data": "{}"}


def decide_by(desk: Desk, folder: Path, rule: str) -> None:
    policy = folder / "policy.toml"
    policy.write_text(rule)
    desk.rules = load_policy(policy, shipped().tables)


def by_themselves(desk: Desk) -> set[str]:
    """Return the addresses that are kept beside the reports."""
    return {desk.vault.open(row.sealed).decode() for row in desk.rows(addresses)}


class TestOfSomebodyToWhomAllArrived:
    def test_nothing_is_kept_but_the_reports_which_hold_the_address_sealed(self, desk: Desk) -> None:
        desk.handle(report("m-1"), a_mail())
        assert desk.rows(addresses) == []
        assert found(desk, PERSON, MAIL, OTHER) == [PERSON, MAIL, ""]
        kept = [(row.sealed, row.hint) for row in desk.rows(reports)]
        assert [hint for _, hint in kept] == ["23", "@mail.example.org"]
        assert not any(PERSON.encode() in sealed or MAIL.encode() in sealed for sealed, _ in kept)

    def test_it_is_shown_masked_and_on_request_in_clear(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1"), a_mail())
        assert {row["recipient"] for row in dlr.json("reports")} == {"…23", "…@mail.example.org"}
        assert dlr.json("message", "m-1")["messages"][0]["recipient"] == "…23"
        assert dlr.json("message", "mail-1", "--reveal")["messages"][0]["recipient"] == MAIL

    def test_the_last_receipt_is_when_they_were_seen(self, desk: Desk) -> None:
        desk.handle(report("m-1"))
        desk.handle(report("m-2", minute=1))
        mine = desk.vault.hash_address("main", PERSON)
        with desk.database.reading() as connection:
            seen = people.known(connection, [mine, b"", mine])[mine]["seen_at"]
        assert seen == max(row.received_at for row in desk.rows(reports))

    def test_no_listing_shows_what_is_sealed(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1"))
        for told in (dlr("reports", "--format", "json"), dlr("message", "m-1", "--format", "json")):
            assert "sealed" not in told
            assert '"hint"' not in told
        pack = dlr("evidence", PERSON, "--format", "json")
        assert '"hint"' not in pack
        assert '"sealed"' not in pack

    def test_it_goes_with_the_reports_when_the_person_is_forgotten(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1"), report("m-2", to=OTHER))
        dlr("forget", PERSON, "--yes")
        assert found(desk, PERSON, OTHER) == ["", OTHER]

    def test_a_failure_later_on_lets_it_be_kept_by_itself(self, desk: Desk) -> None:
        desk.handle(report("m-1"))
        desk.handle(report("m-2", 9, 1, minute=1))
        assert [row.tail for row in desk.rows(addresses)] == ["23"]
        with desk.database.transaction() as connection:
            connection.execute(delete(reports))
        assert found(desk, PERSON) == [PERSON]


def test_in_one_slice_who_failed_is_kept_by_themselves_and_who_did_not_is_not(desk: Desk) -> None:
    desk.handle(report("m-1"), report("m-2", 9, 27), report("m-3", to=OTHER), report("m-4", 7, to=MAIL))
    assert by_themselves(desk) == {PERSON, MAIL}
    assert found(desk, PERSON, OTHER, MAIL) == [PERSON, OTHER, MAIL]


@pytest.mark.parametrize("kind", ["message.delivered", "suppression.added"])
def test_where_somebody_is_told_of_events_everybodys_address_is_kept_by_itself(desk: Desk, kind: str) -> None:
    told_to(desk.database, lambda: endpoints(kind))
    desk.handle(report("m-1"))
    assert by_themselves(desk) == {PERSON}


def test_where_sends_are_registered_everybodys_address_is_kept_by_itself(desk: Desk) -> None:
    desk.register("m-1")
    desk.handle(report("m-1"), report("m-2", to=OTHER))
    assert by_themselves(desk) == {PERSON, OTHER}


@pytest.mark.parametrize(
    "item", [report(messageId=None), report("m-1")], ids=["no message id", "nobody vouched for it"]
)
def test_what_moves_no_message_leaves_its_address_by_itself(desk: Desk, item: dict[str, Any]) -> None:
    desk.handle(item, trusted="messageId" not in item)
    assert by_themselves(desk) == {PERSON}


def test_of_whom_a_rule_tells_an_endpoint_that_is_not_there_yet_is_kept_by_themselves(
    desk: Desk, tmp_path: Path
) -> None:
    decide_by(
        desk,
        tmp_path,
        """
[[rule]]
id = "welcome"
match = { cause = ["delivered"], campaign = ["letter"] }
why = "the shop writes a card then"
forward = "shop"
""",
    )
    desk.handle(report("m-1", campaignReferenceId="letter"), report("m-2", to=OTHER))
    assert by_themselves(desk) == {PERSON}


class TestOfSomebodyWhoOptedOutAndWasForgotten:
    @pytest.fixture(autouse=True)
    def forgotten(self, desk: Desk, dlr: Dlr) -> None:
        dlr("suppress", "add", PERSON, "--cause", "recipient_opted_out", "--reason", "asked us to")
        dlr("forget", PERSON, "--yes")
        assert by_themselves(desk) == set()

    def test_the_list_has_an_address_again_once_something_arrives(self, desk: Desk, dlr: Dlr) -> None:
        desk.handle(report("m-1"), report("m-2", to=OTHER))
        assert PERSON in dlr("suppress", "export", "--state", "all")
        assert by_themselves(desk) == {PERSON}

    def test_an_event_about_the_entry_tells_who_it_is(self, desk: Desk) -> None:
        desk.handle(report("m-1"))
        told_to(desk.database, lambda: endpoints("suppression.lifted"))
        with desk.database.transaction() as connection:
            [number] = connection.scalars(select(suppressions.c.id))
            lift(connection, [(number, datetime.now(UTC))], datetime.now(UTC), "ada", "she wrote to us")
        [event] = desk.rows(events)
        kept = open_event(desk.database, event.id)
        assert kept is not None
        assert (kept.tail, address_of(desk.vault, kept)) == ("23", PERSON)


def test_an_event_about_somebody_of_whom_there_are_only_reports_tells_who_it_is(desk: Desk) -> None:
    desk.handle(report("m-1"), a_mail())
    with desk.database.transaction() as connection:
        for number, spelled in enumerate((PERSON, MAIL), 1):
            connection.execute(insert(events), an_event(number, desk.vault.hash_address("main", spelled)))
    told = [kept for number in (1, 2) if (kept := open_event(desk.database, number))]
    assert [(kept.tail, kept.domain) for kept in told] == [("23", ""), ("", "mail.example.org")]
    assert [address_of(desk.vault, kept) for kept in told] == [PERSON, MAIL]


def test_whom_a_rule_suppresses_though_all_arrived_is_kept_by_themselves(desk: Desk, tmp_path: Path) -> None:
    decide_by(
        desk,
        tmp_path,
        """
[[rule]]
id = "once-only"
match = { cause = ["delivered"], campaign = ["letter"] }
why = "a machine answered, and this letter goes to everybody once"
counts_as = "failed"
suppress = { scope = "campaign", for = "30d" }
""",
    )
    desk.handle(report("m-1", campaignReferenceId="letter"), report("m-2", to=OTHER))
    assert by_themselves(desk) == {PERSON}


def test_whom_a_replay_suppresses_is_kept_by_themselves(desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
    desk.handle({**report("m-1"), "status": {"id": 5}})
    assert by_themselves(desk) == set()
    header = "family,kind,id,name,group_id,group,permanent,cause,advice,retry_after,retry_for,aliases,sources"
    meaning = "2,UNDELIVERABLE,true,recipient_unknown,Nobody has had this number for years."
    row = f"general,status,5,DELIVERED_TO_HANDSET,{meaning},,,,us"
    codes = tmp_path / "codes.csv"
    codes.write_text(f"{header}\n{row}\n")
    told = dlr.json("replay", "--all", "--yes", codes_local=str(codes))
    assert (told["changed"], told["suppressed"]) == (1, 1)
    assert by_themselves(desk) == {PERSON}
    assert PERSON in dlr("suppress", "export", "--state", "all")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whoever_was_told_of_is_found(desk: Desk, data: st.DataObject) -> None:
    with desk.database.transaction() as connection:
        for table in (reports, messages, addresses, suppressions, inbox):
            connection.execute(delete(table))
    whom = st.sampled_from([PERSON, OTHER, MAIL, "447700900789"])
    codes = st.sampled_from([(5, 0), (9, 27), (9, 1), (7, 0), (2, 0), (12, 0)])
    told = data.draw(st.lists(st.tuples(whom, codes), min_size=1, max_size=12))
    mark = json.dumps(told)
    items = [report(f"{mark}-{n}", *code, to=to) for n, (to, code) in enumerate(told)]
    half = len(items) // 2
    desk.handle(*items[:half])
    desk.handle(*items[half:])
    expected = {to for to, _ in told}
    assert set(found(desk, *expected)) == expected
    with desk.database.reading() as connection:
        entered = set(connection.scalars(select(suppressions.c.address)))
        kept = set(connection.scalars(select(addresses.c.hash)))
    assert entered <= kept
