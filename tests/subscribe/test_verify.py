"""What `verify` and `doctor` see of a set-up: as it is to be, changed, refused, incomplete."""

import json
from typing import Any

from store.vault import open_vault
from tests.subscribe.world import BASE, NOWHERE, Place
from tests.support.desk import desk as make_desk
from tests.support.infobip import call
from tests.webhook.world import GOOD, TOKEN


def verified(place: Place, *words: str, code: int = 0, **settings: str) -> dict[str, list[str]]:
    """Return the messages of `verify` by severity and check."""
    result = place.dlr.run("subscribe", "verify", "--format", "json", *words, **settings)
    assert result.exit_code == code, result.output
    found: dict[str, list[str]] = {}
    for one in json.loads(result.stdout):
        found.setdefault(f"{one['severity']} {one['check']}", []).append(one["message"])
    return found


def looked(place: Place, **settings: str) -> list[tuple[str, str]]:
    """Return what the doctor says of subscriptions."""
    rows = json.loads(place.dlr.run("doctor", "--format", "json", **settings).stdout)
    return [(one["severity"], one["message"]) for one in rows if one["check"] == "subscriptions"]


def test_a_set_up_that_works_is_read_back_and_a_signed_sample_gets_in(place: Place) -> None:
    place.start()
    found = verified(place)
    assert set(found) == {"ok security", "ok sms", "warning callbacks", "ok sample", "ok auth"}
    assert "by its signature" in found["ok sample"][0]
    place.send()
    found = verified(place)
    assert "1 of the newest signed with the current secret" in found["ok callbacks"][0]
    assert [severity for severity, _ in looked(place)] == ["ok"]


def test_what_was_changed_at_infobip_is_an_error_with_its_fix(place: Place) -> None:
    place.start()
    moved = {"webhook": {"notifyUrl": "https://thief.example.com/x"}, "security": {"authId": "dlr-main"}}
    assert call(place.infobip, "PUT", f"{BASE}/profiles/dlr-main-sms", json=moved).status_code == 200
    assert "thief.example.com" in verified(place, code=1)["error sms"][0]
    place.create("--unproven")
    assert call(place.infobip, "DELETE", f"{BASE}/subscription/SMS/dlr-main-sms").status_code == 204
    assert "is not at Infobip" in verified(place, code=1)["error sms"][0]
    basic = {"type": "BASIC", "credentials": {"username": "ada", "password": "pw"}}
    assert call(place.infobip, "PUT", f"{BASE}/security/dlr-main", json=basic).status_code == 200
    assert "not HMAC" in verified(place, code=1)["error security"][0]


def test_a_sample_that_is_refused_is_an_error(place: Place) -> None:
    place.start()
    path = place.folder / "subscriptions.json"
    text = path.read_text()
    assert place.endpoint is not None
    place.endpoint.stop()
    assert "no answer from" in verified(place, code=1)["error sample"][0]
    assert path.read_text() == text
    assert "error sample" not in verified(place, "--no-sample")


def test_channels_in_use_without_a_subscription_are_pointed_out(place: Place) -> None:
    endpoint = place.start("hmac, token")
    body = json.dumps({"results": [{**GOOD, "messageId": "e-1", "to": "ada@example.com"}]}).encode()
    assert endpoint.post(body, f"/webhook/email/{TOKEN}").status_code == 200
    with place.database() as database:
        make_desk(database, open_vault(place.folder, database)).drain()
    assert "not subscribed to" in verified(place)["warning email"][0]


def test_the_token_in_the_url_protects_while_signatures_are_not_asked_for_and_then_leaves_it(place: Place) -> None:
    place.create()
    (note,) = [one for one in place.dlr.json("subscribe", "plan")["notes"] if "DLR_AUTH" in one]
    assert 'DLR_AUTH="hmac, token"' in note
    ((severity, message),) = looked(place)
    assert severity == "warning"
    assert "does not ask for it" in message
    place.endpoint = place.endpoint_for("hmac, token")
    place.create(auth="hmac, token", public_url=place.endpoint.url)
    profile = place.at_infobip("profiles/dlr-main-sms").json()
    assert profile["webhook"]["notifyUrl"] == f"{place.endpoint.url}/webhook/sms"
    place.send()
    assert place.first_answers() == [200]


def test_the_token_stays_while_the_endpoint_does_not_let_a_signed_sample_in(place: Place) -> None:
    place.create()
    place.endpoint = place.endpoint_for("token")
    place.create("--channel", "sms", public_url=place.endpoint.url)
    before = place.at_infobip("profiles/dlr-main-sms").json()
    said = place.dlr.fails("subscribe", "create", "--yes", auth="hmac, token", public_url=place.endpoint.url)
    assert "does not let a signed sample in" in said
    assert "Restart the endpoint" in said
    assert place.at_infobip("profiles/dlr-main-sms").json() == before


def test_the_doctor_sees_that_what_infobip_has_no_longer_fits(place: Place) -> None:
    place.create("--channel", "sms", auth="hmac", public_url=NOWHERE)
    ((severity, message),) = looked(place, auth="token", public_url=NOWHERE)
    assert severity == "error"
    assert "another URL for sms" in message
    ((severity, message),) = looked(place, auth="hmac", public_url=NOWHERE, hmac_algorithm="sha512")
    assert severity == "error"
    assert "DLR_HMAC_ALGORITHM" in message
    ((severity, message),) = looked(place, auth="basic", basic_user="u", basic_password="p", public_url=NOWHERE)
    assert severity == "error"
    assert 'DLR_AUTH="hmac, basic"' in message


def test_a_damaged_ledger_stops_everything_and_is_told(place: Place) -> None:
    place.create()
    (place.folder / "subscriptions.json").write_text("{")
    assert "cannot be read" in place.dlr.fails("subscribe", "create", "--yes")
    assert [severity for severity, _ in looked(place)] == ["error"]


def test_an_account_of_its_own_needs_a_token_that_tells_it_apart(place: Place, tmp_path: Any) -> None:
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(f'[shop]\nbase_url = "{place.infobip.url}"\nkey = "{place.dlr.settings["DLR_INFOBIP_KEY"]}"\n')
    words = ("subscribe", "create", "--yes", "--account", "shop", "--channel", "sms")
    said = place.dlr.fails(*words, code=2, accounts=str(accounts), auth="hmac")
    assert "DLR_ACCOUNT_TOKENS=shop=" in said
    place.dlr(*words, accounts=str(accounts), auth="hmac", account_tokens="shop=t0k3n")
    profile = place.at_infobip("profiles/dlr-shop-sms").json()
    assert profile["webhook"]["notifyUrl"].endswith("/webhook/sms/t0k3n")
    place.dlr(*words, "--unproven", accounts=str(accounts), auth="hmac", account_applications="app-1=shop")
    assert place.at_infobip("profiles/dlr-shop-sms").json()["webhook"]["notifyUrl"].endswith("/webhook/sms")


def test_a_header_that_the_endpoint_asks_for_goes_into_the_profile(place: Place) -> None:
    place.create("--channel", "sms", auth="hmac + header", header_name="X-Own", header_value="v4l")
    assert place.at_infobip("profiles/dlr-main-sms").json()["headers"] == {"X-Own": "v4l"}
