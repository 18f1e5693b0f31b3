"""Applications ask the suppression list, and change it: the answers are those that a send would get."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from store import api_keys
from store.schema import suppression_audit, suppressions
from store.suppressions import HELD, PROPOSED
from tests.proxy.world import OTHER, World, away
from tests.support.infobip import PERSON


def post(world: World, what: str, body: Any, key: str = "") -> TestResponse:
    headers = {"Authorization": f"Bearer {key or world.key}"}
    return world.app().test_client().post(f"/api/v1/suppressions/{what}", json=body, headers=headers)


def checked(world: World, *entries: Any) -> list[Any]:
    answer = post(world, "check", {"entries": list(entries)})
    found: list[Any] = answer.get_json()["results"]
    return found


def to(address: str = PERSON, **more: Any) -> dict[str, Any]:
    return {"to": address, "channel": "sms", **more}


class TestChecking:
    def test_each_entry_is_answered_in_order_with_why_since_and_until(self, world: World) -> None:
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
        world.suppress(until=end)
        blocked, free = checked(world, to(), to(OTHER))
        assert (blocked["blocked"], blocked["held"], blocked["cause"]) == (True, False, "recipient_opted_out")
        assert blocked["why"] == "the person opted out"
        assert datetime.fromisoformat(blocked["until"]) == end
        assert datetime.fromisoformat(blocked["since"]) < datetime.now(UTC)
        assert free == {"blocked": False, "held": False, "flagged": False}

    def test_one_entry_is_asked_about_as_the_whole_body(self, world: World) -> None:
        world.suppress()
        assert post(world, "check", to("+44 7700 900123")).get_json()["results"][0]["blocked"] is True

    @pytest.mark.parametrize("state", [HELD, PROPOSED])
    def test_what_waits_for_a_person_blocks_nobody_and_is_told(self, world: World, state: str) -> None:
        world.suppress(state=state, cause="recipient_unknown")
        [answer] = checked(world, to())
        assert (answer["blocked"], answer["held"], answer["proposed"]) == (False, state == HELD, state == PROPOSED)
        assert answer["cause"] == "recipient_unknown"

    def test_what_is_undeclared_counts_as_what_the_policys_default_says(self, world: World, tmp_path: Path) -> None:
        world.suppress(purpose="marketing")
        policy = tmp_path / "own.toml"
        policy.write_text('[purposes]\ndefault = { "*" = "marketing" }\n')
        client = world.app(DLR_POLICY=str(policy)).test_client()
        entries = [to(), to(purpose="otp")]
        # One that the typed decoder takes, and one that the schema has to read.
        for body in ({"entries": entries}, {"entries": [*entries, {}]}):
            headers = {"Authorization": f"Bearer {world.key}"}
            answer = client.post("/api/v1/suppressions/check", json=body, headers=headers)
            assert [one["blocked"] for one in answer.get_json()["results"][:2]] == [True, False]

    def test_an_entry_for_marketing_flags_what_is_undeclared(self, world: World) -> None:
        world.suppress(purpose="marketing")
        found = checked(world, to(purpose="marketing"), to(purpose="otp"), to())
        assert [(one["blocked"], one["flagged"]) for one in found] == [(True, False), (False, False), (False, True)]

    def test_bad_entries_are_told_in_their_place_and_the_others_answered(self, world: World) -> None:
        world.suppress()
        found = checked(
            world, to(), to(channel="fax"), "nothing", to(OTHER, purpos="otp"), {"to": 447700900123, "channel": "SMS"}
        )
        assert [one["blocked"] for one in found] == [True, None, None, None, True]
        assert [found[place]["errors"][0]["field"] for place in (1, 2, 3)] == ["channel", "", "purpos"]
        assert "purpose" in found[3]["errors"][0]["fix"]

    @pytest.mark.parametrize(
        "usual",
        [
            to(" +44 7700-900123 ", sender=" Shop ", purpose="otp"),
            to("Jo@Example.COM", channel="email", campaign=""),
            to(sender="", purpose="marketing"),
        ],
    )
    def test_the_quick_reader_and_the_schema_come_to_the_same(self, world: World, usual: dict[str, Any]) -> None:
        world.suppress(sender="Shop")
        world.suppress("jo@example.com", channel="email")
        world.suppress(purpose="marketing", cause="recipient_dnd")
        [quick] = checked(world, usual)
        assert checked(world, usual, "nothing")[0] == quick

    def test_ten_thousand_are_asked_hundreds_at_a_time(self, world: World) -> None:
        world.suppress()
        statements: list[str] = []
        event.listen(world.database.engine, "before_cursor_execute", lambda *said: statements.append(str(said[2])))
        people = [to(str(447_700_000_000 + number)) for number in range(9_999)]
        found = checked(world, *people, to())
        assert [one["blocked"] for one in found].count(True) == 1
        assert found[-1]["blocked"] is True
        asked = len([said for said in statements if "FROM suppressions" in said])
        assert asked == (-(-10_000 // 512) if world.database.is_sqlite else 1)

    def test_more_than_that_are_refused(self, world: World) -> None:
        answer = post(world, "check", {"entries": [to()] * 10_001})
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (413, "too_many")

    @pytest.mark.parametrize("body", [[], {"entries": {}}, {"entries": []}, {"entries": [], "more": 1}])
    def test_a_body_without_entries_says_how_to_write_them(self, world: World, body: Any) -> None:
        answer = post(world, "check", body)
        assert answer.status_code == 400
        assert answer.get_json()["error"]["next_step"]

    def test_another_accounts_list_is_not_asked(self, world: World) -> None:
        world.suppress()
        key = world.make_key(api_keys.SUPPRESSIONS_READ, account="other")
        answer = post(world, "check", to(), key)
        assert answer.get_json()["results"][0]["blocked"] is False

    def test_the_pass_through_and_the_check_agree(self, world: World) -> None:
        for channel in ("sms", "viber"):
            world.suppress(channel=channel, cause="recipient_not_on_channel")
        assert checked(world, to())[0]["blocked"] is True
        assert checked(world, to(channel="voice"))[0]["blocked"] is False


@pytest.mark.parametrize("what", ["check", "list", "add", "lift"])
def test_a_key_without_the_scope_is_refused(world: World, what: str) -> None:
    answer = post(world, what, to(), world.make_key(api_keys.SENDS_WRITE))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "scope_missing")
    assert post(world, what, to(), "dlr_nothing").status_code == 401


class TestAdding:
    def test_good_entries_are_kept_and_bad_ones_told(self, world: World) -> None:
        past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        entries = [to(cause="opted_out", reason="clicked"), to(OTHER, until=past), to(OTHER, cause="sms"), to(OTHER)]
        found = post(world, "add", {"entries": entries}).get_json()["results"]
        assert [one.get("result") for one in found] == ["added", None, None, "added"]
        assert [found[place]["errors"][0]["field"] for place in (1, 2)] == ["until", "cause"]
        assert {row.who for row in world.rows(suppression_audit)} == {"key test"}
        assert {row.origin for row in world.rows(suppressions)} == {"api"}

    def test_it_is_added_once(self, world: World) -> None:
        assert post(world, "add", to()).get_json()["results"] == [{"result": "added"}]
        assert post(world, "add", to("+447700900123")).get_json()["results"] == [{"result": "stands_already"}]
        assert len(world.rows(suppressions)) == 1

    def test_what_is_no_address_on_its_channel_is_told_and_the_others_are_kept(self, world: World) -> None:
        entries = [
            to("hello"),
            to("jo@example.com"),
            to("+44 (0)7700 900123"),
            {"to": "jo@example.com", "channel": "email"},
            to("x7", cause="address_invalid"),
            {"to": "hello"},
        ]
        answer = post(world, "add", {"entries": entries})
        found = answer.get_json()["results"]
        assert [one.get("result") for one in found] == [None, None, None, "added", "added", None]
        assert [found[place]["errors"][0]["field"] for place in (0, 1, 2, 5)] == ["to"] * 4
        assert "no phone number" in found[0]["errors"][0]["message"]
        assert "hello" not in answer.text
        assert post(world, "add", to("hello")).status_code == 422

    def test_none_good_is_a_refusal(self, world: World) -> None:
        assert post(world, "add", to(channel="fax")).status_code == 422

    def test_while_the_database_is_away_it_says_so(self, world: World) -> None:
        with away(world):
            assert post(world, "add", to()).status_code == 503


class TestLifting:
    def test_an_opt_out_takes_evidence_and_an_opt_in_that_came_later(self, world: World) -> None:
        world.suppress()
        [told] = post(world, "lift", {"to": PERSON}).get_json()["results"]
        assert "evidence" in told["notLifted"][0]["message"]
        before = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        late = post(world, "lift", {"to": PERSON, "evidence": "form 7", "optedInAt": before}).get_json()["results"][0]
        assert (late["lifted"], late["notLifted"][0]["message"]) == ([], "the opt-in is older than the opt-out")
        done = post(world, "lift", {"to": PERSON, "evidence": "form 7"}).get_json()["results"][0]
        assert len(done["lifted"]) == 1
        last = world.rows(suppression_audit)[-1]
        assert (last.who, last.detail) == ("key test", "form 7")
        assert checked(world, to())[0]["blocked"] is False

    @pytest.mark.parametrize("cause", ["recipient_complained", "recipient_blocklisted", "recipient_dnd"])
    def test_what_only_an_operator_lifts_is_refused(self, world: World, cause: str) -> None:
        world.suppress(cause=cause)
        [told] = post(world, "lift", {"to": PERSON, "evidence": "form 7"}).get_json()["results"]
        assert told["lifted"] == []
        assert "dlr suppress lift" in told["notLifted"][0]["fix"]
        assert checked(world, to())[0]["blocked"] is True

    def test_what_failures_made_is_lifted_by_its_id_in_the_own_account_only(self, world: World) -> None:
        world.suppress(cause="recipient_unknown", origin="report")
        [row] = world.rows(suppressions)
        other = world.make_key(api_keys.SUPPRESSIONS_WRITE, account="other")
        assert "errors" in post(world, "lift", {"id": str(row.id)}, other).get_json()["results"][0]
        assert post(world, "lift", {"id": str(row.id)}).get_json()["results"][0]["lifted"] == [str(row.id)]


class TestListing:
    def test_entries_come_a_page_at_a_time_and_masked(self, world: World) -> None:
        post(world, "add", {"entries": [to(str(447_700_900_100 + number)) for number in range(5)]})
        first = post(world, "list", {"limit": 3}).get_json()
        rest = post(world, "list", {"limit": 3, "after": first["next"]}).get_json()
        assert (len(first["entries"]), len(rest["entries"]), rest["next"]) == (3, 2, None)
        assert "4477009001" not in str(first)

    def test_one_persons_are_found_and_revealed_when_asked_for(self, world: World) -> None:
        post(world, "add", {"entries": [to(), to(OTHER)]})
        [entry] = post(world, "list", {"to": PERSON, "reveal": True}).get_json()["entries"]
        assert (entry["to"], entry["state"], entry["cause"]) == (PERSON, "active", "operator")

    def test_a_wrong_filter_is_told(self, world: World) -> None:
        answer = post(world, "list", {"limit": 5_000, "stat": "held"})
        assert answer.status_code == 422
        assert {one["field"] for one in answer.get_json()["errors"]} == {"limit", "stat"}
