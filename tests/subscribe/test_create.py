"""Setting up at Infobip: once, repeated, repaired, half done, beside others."""

import stat
from typing import Any

import pytest

from cli.subscribe.ledger import Ledger
from infobip.outbound.subscription_channels import SUBSCRIBED
from infobip.simulator.subscriptions import CHANNELS
from tests.subscribe.world import BASE, Place
from tests.support.dlr import Dlr
from tests.support.infobip import call
from tests.webhook.world import TOKEN

OTHER: dict[str, Any] = {
    "subscriptionId": "of-the-shop",
    "name": "Shop",
    "events": ["DELIVERY"],
    "profile": {"profileId": "shop", "webhook": {"notifyUrl": "https://shop.example.com/hooks/s3cret-path"}},
}


def fault(times: int = 1, **what: Any) -> dict[str, Any]:
    """Return a scenario in which the next requests to the Subscriptions API go wrong."""
    rule = {"name": "fault", "match": {"api": "subscriptions", "times": times}, "fault": what}
    return {"otherwise": [{"after": 0}], "rule": [rule]}


def test_every_channel_of_the_table_is_one_of_infobips_and_subscribes_to_something() -> None:
    assert {row.name for row in SUBSCRIBED.values()} <= set(CHANNELS)
    assert all(row.events and len(set(row.events)) == len(row.events) for row in SUBSCRIBED.values())
    assert SUBSCRIBED["email"].wanted(inbound=True, tracking=True)[-2:] == ("OPEN", "CLICK")


def test_a_plan_tells_every_step_and_changes_nothing(place: Place) -> None:
    found = place.dlr.json("subscribe", "plan", "--channel", "sms", "--channel", "email")
    assert [(one["do"], one["kind"], one["id"]) for one in found["steps"]] == [
        ("create", "security", "dlr-main"),
        ("create", "profiles", "dlr-main-sms"),
        ("create", "subscription", "dlr-main-sms"),
        ("create", "profiles", "dlr-main-email"),
        ("create", "subscription", "dlr-main-email"),
    ]
    assert place.made("POST") + place.made("PUT") + place.made("DELETE") == 0
    assert not (place.folder / "subscriptions.json").exists()
    assert TOKEN not in str(found)
    assert any("takes precedence" in note for note in found["notes"])


def test_create_asks_first(place: Place) -> None:
    place.dlr.fails("subscribe", "create", "--channel", "sms", answer="n\n")
    assert place.made("POST") == 0


def test_create_makes_security_profile_and_subscription_with_a_secret_of_its_own(place: Place) -> None:
    printed = place.create("--channel", "sms", "--channel", "push", "--inbound")
    security = place.infobip.world.subscriptions.securities["dlr-main"]
    assert security["type"] == "HMAC"
    assert security["credentials"]["algorithm"] == "HMAC_SHA_256"
    assert place.secrets("current") == [security["credentials"]["secretKey"]]
    assert len(place.secrets("current")[0]) >= 40
    assert stat.S_IMODE((place.folder / "subscriptions.json").stat().st_mode) == 0o600
    profile = place.at_infobip("profiles/dlr-main-sms").json()
    assert profile["webhook"]["notifyUrl"] == f"https://dlr.example.com/webhook/sms/{TOKEN}"
    assert profile["security"]["authId"] == "dlr-main"
    assert place.at_infobip("subscription/SMS/dlr-main-sms").json()["events"] == ["DELIVERY", "INBOUND_MESSAGE"]
    assert place.at_infobip("subscription/MOBILE_PUSH/dlr-main-push").json()["events"] == ["DELIVERY", "SEEN"]
    assert place.secrets("current")[0] not in printed
    assert TOKEN not in printed


def test_a_second_create_finds_all_of_it_and_changes_nothing(place: Place) -> None:
    place.create("--channel", "sms", "--channel", "email")
    before, secret = (place.made("POST"), place.made("PUT")), place.secret_at_infobip()
    assert "All is as it is to be" in place.dlr("subscribe", "create")
    assert (place.made("POST"), place.made("PUT")) == before
    assert place.secret_at_infobip() == secret


def test_what_differs_is_repaired_and_what_somebody_tuned_stays(place: Place) -> None:
    place.create()
    tuned = {"webhook": {"notifyUrl": "https://old.example.com/x"}, "maxBucketSize": 500, "headers": {"X-Own": "1"}}
    assert call(place.infobip, "PUT", f"{BASE}/profiles/dlr-main-sms", json=tuned).status_code == 200
    less = {"events": ["CLICK"], "name": "renamed", "resources": ["Shop"], "profile": {"profileId": "dlr-main-sms"}}
    assert call(place.infobip, "PUT", f"{BASE}/subscription/SMS/dlr-main-sms", json=less).status_code == 200
    assert call(place.infobip, "PUT", f"{BASE}/security/dlr-main", json=_basic()).status_code == 200
    planned = place.dlr("subscribe", "plan")
    for words in ("it posts to https://old.example.com", "not signed by dlr-main", "lacks DELIVERY", "type is BASIC"):
        assert words in planned
    place.create("--unproven")
    profile = place.at_infobip("profiles/dlr-main-sms").json()
    assert (profile["maxBucketSize"], profile["headers"]) == (500, {"X-Own": "1"})
    assert profile["webhook"]["notifyUrl"].startswith("https://dlr.example.com/webhook/sms")
    found = place.at_infobip("subscription/SMS/dlr-main-sms").json()
    assert (found["events"], found["name"], found["resources"]) == (["CLICK", "DELIVERY"], "renamed", ["Shop"])
    assert place.secret_at_infobip() == place.secrets("current")[0]
    assert "All is as it is to be" in place.create()


def _basic() -> dict[str, Any]:
    return {"type": "BASIC", "credentials": {"username": "ada", "password": "pw"}}


def test_what_was_deleted_at_infobip_is_made_again(place: Place) -> None:
    place.create()
    for path in ("subscription/SMS/dlr-main-sms", "profiles/dlr-main-sms", "security/dlr-main"):
        assert call(place.infobip, "DELETE", f"{BASE}/{path}").status_code == 204
    place.create()
    assert place.secret_at_infobip() == place.secrets("current")[0]
    assert place.at_infobip("subscription/SMS/dlr-main-sms").status_code == 200


class TestOthers:
    def test_another_subscription_to_the_same_events_is_told_loudly_and_stays_untouched(self, place: Place) -> None:
        other = OTHER | {"resources": ["Shop"]}
        assert call(place.infobip, "POST", f"{BASE}/subscription/SMS", json=other).status_code == 201
        before = place.at_infobip("subscription/SMS/of-the-shop").json()
        (warning,) = place.dlr.json("subscribe", "plan", "--channel", "sms")["warnings"]
        assert "of-the-shop" in warning
        assert "https://shop.example.com/hooks" in warning
        assert "s3cret-path" not in warning
        place.create()
        listed = {one["id"]: one["ours"] for one in place.dlr.json("subscribe", "show")}
        assert listed == {"dlr-main-sms": True, "of-the-shop": False}
        place.dlr("subscribe", "remove", "--yes")
        assert place.at_infobip("subscription/SMS/of-the-shop").json() == before

    def test_one_to_other_events_is_not_spoken_of(self, place: Place) -> None:
        other = OTHER | {"events": ["CLICK"]}
        assert call(place.infobip, "POST", f"{BASE}/subscription/SMS", json=other).status_code == 201
        assert place.dlr.json("subscribe", "plan", "--channel", "sms")["warnings"] == []

    def test_where_infobip_refuses_a_second_one_the_command_says_what_it_did(self, place: Place) -> None:
        assert call(place.infobip, "POST", f"{BASE}/subscription/SMS", json=OTHER).status_code == 201
        said = place.dlr.fails("subscribe", "create", "--yes", "--channel", "sms")
        assert "Could not create the subscription dlr-main-sms" in said
        assert "409" in said
        assert "Done before it: security setting dlr-main, profile dlr-main-sms" in said
        assert call(place.infobip, "DELETE", f"{BASE}/subscription/SMS/of-the-shop").status_code == 204
        place.create()
        assert place.at_infobip("subscription/SMS/dlr-main-sms").status_code == 200

    def test_another_installation_with_our_names_is_not_taken_over_unasked(self, place: Place, tmp_path: Any) -> None:
        place.create()
        secret = place.secret_at_infobip()
        other = Dlr(place.dlr.settings | {"DLR_STATE_DIR": str(tmp_path / "other")})
        said = other.fails("subscribe", "create", "--yes", "--channel", "sms")
        assert "--take-over" in said
        assert "--prefix" in said
        assert place.secret_at_infobip() == secret
        assert "not made by this installation" in other.fails("subscribe", "remove", "--yes")
        other("subscribe", "create", "--yes", "--channel", "mms", "--prefix", "staging")
        assert place.at_infobip("subscription/MMS/staging-main-mms").status_code == 200
        other_two = Dlr(place.dlr.settings | {"DLR_STATE_DIR": str(tmp_path / "two")})
        other_two("subscribe", "create", "--yes", "--channel", "sms", "--take-over")
        assert place.secret_at_infobip() != secret


class TestFailures:
    def test_a_wrong_credential_is_explained(self, place: Place) -> None:
        said = place.dlr.fails("subscribe", "create", "--yes", "--channel", "sms", infobip_key="wrong")
        assert "401" in said
        assert "DLR_INFOBIP_KEY" in said

    def test_a_missing_scope_is_explained(self, place: Place) -> None:
        place.infobip.load(fault(status=403))
        assert "subscriptions:manage" in place.dlr.fails("subscribe", "create", "--yes", "--channel", "sms")
        assert place.made("POST") == 0

    @pytest.mark.parametrize("what", [{"status": 429, "retry_after": "0s"}, {"status": 503, "retry_after": "0s"}])
    def test_what_passes_is_waited_for(self, place: Place, what: dict[str, Any]) -> None:
        place.infobip.load(fault(times=2, **what))
        place.create()
        assert place.at_infobip("subscription/SMS/dlr-main-sms").status_code == 200

    @pytest.mark.parametrize("what", [{"drop": "after"}, {"drop": "before"}, {"status": 500}])
    def test_a_lost_answer_to_a_request_is_looked_up(self, place: Place, what: dict[str, Any]) -> None:
        place.create()
        # The last look, the POST of the profile, the POST of the subscription.
        for passing in (3, 4, 5):
            place.infobip.load(_lost_after(passing, what))
            place.create("--channel", "mms", "--unproven")
            place.infobip.load({"otherwise": [{"after": 0}]})
            assert place.at_infobip("subscription/MMS/dlr-main-mms").status_code == 200
            place.dlr("subscribe", "remove", "--yes", "--channel", "mms")
        assert place.secret_at_infobip() == place.secrets("current")[0]

    def test_infobip_away_half_way_is_told_with_what_exists_and_repeating_goes_on(self, place: Place) -> None:
        place.infobip.load(_all_fails_after(2))
        said = place.dlr.fails("subscribe", "create", "--yes", "--channel", "sms")
        assert "Could not create the subscription dlr-main-sms" in said
        assert "Done before it: security setting dlr-main, profile dlr-main-sms" in said
        assert "may be repeated at any time" in said
        secret = place.secret_at_infobip()
        place.infobip.load({"otherwise": [{"after": 0}]})
        place.create()
        assert place.secret_at_infobip() == secret == place.secrets("current")[0]
        assert place.at_infobip("subscription/SMS/dlr-main-sms").status_code == 200


def _lost_after(number: int, what: dict[str, Any]) -> dict[str, Any]:
    """Return a scenario in which the Subscriptions API answers some requests, and then one goes wrong."""
    passing = {"name": "passes", "match": {"api": "subscriptions", "times": number}, "slow": "1ms"}
    failing = {"name": "fails", "match": {"api": "subscriptions", "times": 1}, "fault": what}
    return {"otherwise": [{"after": 0}], "rule": [passing, failing]}


def _all_fails_after(changes: int) -> dict[str, Any]:
    """Return a scenario in which all fails once the looks and some changes are done: 4 looks for one channel."""
    passing = {"name": "passes", "match": {"api": "subscriptions", "times": 4 + changes}, "slow": "1ms"}
    refused = {"name": "refused", "match": {"api": "subscriptions"}, "fault": {"status": 400}}
    return {"otherwise": [{"after": 0}], "rule": [passing, refused]}


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        (("--channel", "smss"), {}, "Did you mean sms?"),
        (("--channel", "voice"), {}, "a report URL in each send"),
        ((), {}, "Name the channels"),
        (("--channel", "sms"), {"public_url": ""}, "DLR_PUBLIC_URL"),
        (("--channel", "sms", "--url", "dlr.example.com"), {}, "no address that Infobip could post to"),
        (("--channel", "sms", "--url", f"https://{'x' * 500}.example.com"), {}, "Infobip takes 512"),
        (("--channel", "sms", "--account", "shop"), {}, "There is no account"),
        (("--channel", "sms"), {"infobip_key": ""}, "subscriptions:manage"),
        (("--channel", "sms"), {"infobip_url": "https://evil.example.com"}, "not a host of infobip.com"),
        (("--channel", "sms", "--prefix", "a b"), {}, "letters and digits"),
        (("--channel", "sms"), {"hmac_algorithm": "rot13"}, "DLR_HMAC_ALGORITHM"),
    ],
)
def test_wrong_input_is_refused_before_anything_happens(
    place: Place, words: tuple[str, ...], settings: dict[str, str], said: str
) -> None:
    assert said in place.dlr.fails("subscribe", "create", "--yes", *words, code=2, **settings)
    assert place.made("POST") == 0


def test_remove_takes_what_is_ours_in_order_and_keeps_the_secret_for_repeated_callbacks(place: Place) -> None:
    place.create("--channel", "sms", "--channel", "email")
    secret = place.secret_at_infobip()
    place.dlr("subscribe", "remove", "--yes", "--channel", "email")
    assert place.at_infobip("profiles/dlr-main-email").status_code == 404
    assert place.at_infobip("subscription/SMS/dlr-main-sms").status_code == 200
    place.dlr("subscribe", "remove", "--yes")
    kept = place.infobip.world.subscriptions
    assert (kept.subscriptions, kept.profiles, kept.securities) == ({}, {}, {})
    assert (place.secrets("retired"), place.ledger["channels"]) == ([secret], {})
    assert "nothing of ours" in place.dlr("subscribe", "remove", "--yes")
    place.create()
    assert place.secret_at_infobip() != secret


def test_two_commands_at_once_do_not_get_into_each_others_way(place: Place) -> None:
    with Ledger(place.folder).locked():
        assert "at work" in place.dlr.fails("subscribe", "create", "--yes", "--channel", "sms")
