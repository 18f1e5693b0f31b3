"""The lists of people who get nothing: blocklist, e-mail suppressions, push registrations."""

from typing import Any

import pytest
import requests

from infobip.inbound import read
from infobip.simulator import Simulator
from tests.simulator.bodies import BY_PATH, DEVICE, MAIL, PERSON
from tests.simulator.receiver import Receiver
from tests.simulator.test_sends import post
from tests.support.infobip import AT_ONCE, call, infobip, send, sms

FREE: dict[str, Any] = {**AT_ONCE, "limits": False}


@pytest.fixture
def free(simulator: Simulator) -> Simulator:
    """A simulator without rate limits."""
    simulator.load(FREE)
    return simulator


def block(simulator: Simulator, *people: str, method: str = "POST", **more: str) -> requests.Response:
    group = {"destinations": [{"to": to} for to in people], **more}
    answer = call(simulator, method, "/platform/1/blocklists", json={"blocklist": [group]})
    if answer.ok:
        simulator.settle()
    return answer


def blocked(simulator: Simulator, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(simulator, "GET", "/platform/1/blocklists", params=query).json()["results"]
    return found


def test_a_change_is_taken_at_once_and_in_force_later() -> None:
    with infobip({**FREE, "blocklist_delay": "1h"}) as simulator:
        body = {"blocklist": [{"destinations": [{"to": PERSON}]}]}
        answer = call(simulator, "POST", "/platform/1/blocklists", json=body)
        assert (answer.status_code, answer.content) == (202, b"")
        assert blocked(simulator) == []
        simulator.advance(3601)
        simulator.settle()
        (entry,) = blocked(simulator)
    assert (entry["destination"], entry["sourceType"], "channel" in entry) == (PERSON, "CUSTOM", False)


def test_it_takes_one_request_a_second(simulator: Simulator) -> None:
    assert call(simulator, "GET", "/platform/1/blocklists").status_code == 200
    refused = call(simulator, "GET", "/platform/1/blocklists")
    assert refused.status_code == 429
    assert refused.json()["requestError"]["serviceException"]["messageId"] == "TOO_MANY_REQUESTS"
    simulator.advance(1.1)
    assert call(simulator, "GET", "/platform/1/blocklists").status_code == 200


def test_who_is_blocklisted_is_refused_and_reported_so(free: Simulator) -> None:
    block(free, PERSON)
    (message,) = send(free, sms())["messages"]
    free.advance(2)
    free.settle()
    (report,) = call(free, "GET", "/sms/3/reports").json()["results"]
    assert (message["status"]["id"], message["status"]["groupName"]) == (14, "REJECTED")
    assert (report["status"]["id"], report["error"]["id"]) == (14, 2052)


@pytest.mark.parametrize(("wish", "in_answer", "reports"), [("answer", True, 0), ("report", False, 1)])
def test_the_scenario_says_how_a_blocklisted_person_shows(wish: str, in_answer: bool, reports: int) -> None:
    with infobip({**FREE, "blocked_is": wish, "blocklist": [{"destination": PERSON}]}) as simulator:
        (message,) = send(simulator, sms())["messages"]
        simulator.advance(2)
        simulator.settle()
        assert (message["status"]["id"] == 14) is in_answer
        assert len(call(simulator, "GET", "/sms/3/reports").json()["results"]) == reports


def test_an_entry_may_be_for_one_sender_or_channel(free: Simulator) -> None:
    block(free, PERSON, sender="Shop", channel="SMS")
    refused = [
        send(free, sms(sender=sender), path)["messages"][0]["status"]["id"] == 14
        for sender, path in (("Shop", "/sms/3/messages"), ("Bank", "/sms/3/messages"))
    ]
    viber = send(free, BY_PATH["/viber/2/messages"].body, "/viber/2/messages")["messages"][0]["status"]["id"]
    assert (refused, viber) == ([True, False], 26)


def test_an_entry_may_be_a_mail_domain(free: Simulator) -> None:
    block(free, "example.org", channel="EMAIL")
    answer = post(free, BY_PATH["/email/4/messages"]).json()
    assert answer["messages"][0]["status"]["id"] == 14


def test_entries_are_kept_once_and_found_by_every_filter(free: Simulator) -> None:
    block(free, PERSON, f"+{PERSON}", "447700900124", sender="Shop", channel="SMS")
    block(free, PERSON, sender="Shop", channel="SMS")
    free.opt_out("447700900125", "MMS")
    assert len(blocked(free)) == 3
    found = [
        len(blocked(free, **{name: value}))
        for name, value in (("destination", PERSON), ("sender", "Shop"), ("channel", "MMS"), ("sourceType", "MO"))
    ]
    assert found == [1, 2, 1, 1]
    page = call(free, "GET", "/platform/1/blocklists?page=1&size=2").json()
    assert (len(page["results"]), page["paging"]["totalPages"], page["paging"]["totalResults"]) == (1, 2, 3)


def test_deleting_ours_leaves_the_persons_own_stop(free: Simulator) -> None:
    block(free, PERSON, channel="SMS")
    free.opt_out(PERSON, "SMS")
    block(free, PERSON, method="DELETE", channel="SMS", sourceType="CUSTOM")
    assert [entry["sourceType"] for entry in blocked(free)] == ["MO"]


def test_deleting_without_a_source_deletes_the_persons_own_stop_too(free: Simulator) -> None:
    block(free, PERSON, channel="SMS")
    free.opt_out(PERSON, "SMS")
    block(free, PERSON, method="DELETE", channel="SMS")
    assert blocked(free) == []


def test_deleting_needs_every_property_of_the_entry(free: Simulator) -> None:
    block(free, PERSON, channel="SMS", sender="Shop")
    block(free, PERSON, method="DELETE", sourceType="CUSTOM", channel="SMS")
    assert len(blocked(free)) == 1


@pytest.mark.parametrize(
    ("group", "place"),
    [
        ({"destinations": []}, "blocklist[0].destinations"),
        ({"destinations": [{"to": ""}]}, "blocklist[0].destinations[0].to"),
        ({"destinations": [{"to": PERSON}], "channel": "VOICE"}, "blocklist[0].channel"),
        ({"destinations": [{"to": PERSON}], "accountKey": "another"}, "blocklist[0].accountKey"),
        ({"destinations": [{"to": str(number)} for number in range(50_001)]}, "blocklist"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(free: Simulator, group: dict[str, Any], place: str) -> None:
    answer = call(free, "POST", "/platform/1/blocklists", json={"blocklist": [group]})
    assert answer.status_code == 400
    assert list(answer.json()["requestError"]["serviceException"]["validationErrors"]) == [place]


def test_a_persons_own_stop_is_told_to_the_blocklist_subscription(free: Simulator, receiver: Receiver) -> None:
    profile = {"profileId": "p-1", "webhook": {"notifyUrl": receiver.url}}
    body = {"subscriptionId": "s-1", "events": ["BLOCK"], "profile": profile}
    assert call(free, "POST", "/subscriptions/1/subscription/BLOCKLIST", json=body).status_code == 201
    answer = call(free, "POST", "/simulator/opt-out", json={"recipient": PERSON, "channel": "SMS"})
    assert answer.status_code == 204
    free.settle()
    (item,) = read(receiver.got[0].body, "application/json", "blocklist").items
    assert (item.report.family, item.report.recipient, item.report.detail["source_type"]) == ("blocklist", PERSON, "MO")


GROUP = {"domainName": "example.com", "emailAddress": [MAIL], "type": "BOUNCE"}


def suppress(simulator: Simulator, method: str = "POST", **more: Any) -> requests.Response:
    answer = call(simulator, method, "/email/1/suppressions", json={"suppressions": [{**GROUP, **more}]})
    simulator.settle()
    return answer


def suppressed(simulator: Simulator, kind: str = "BOUNCE", **more: str) -> list[str]:
    query = {"domainName": "example.com", "type": kind, **more}
    found = call(simulator, "GET", "/email/1/suppressions", params=query).json()["results"]
    return [one["emailAddress"] for one in found]


def test_a_suppressed_address_gets_no_mail(free: Simulator) -> None:
    assert suppress(free).status_code == 204
    assert suppressed(free) == [MAIL]
    post(free, BY_PATH["/email/4/messages"])
    free.advance(2)
    free.settle()
    (report,) = call(free, "GET", "/email/4/reports").json()["results"]
    assert report["error"]["id"] == 6034


def test_a_complaint_is_another_reason_than_a_bounce(free: Simulator) -> None:
    suppress(free, type="COMPLAINT")
    assert (suppressed(free), suppressed(free, "COMPLAINT")) == ([], [MAIL])
    post(free, BY_PATH["/email/3/send"])
    free.advance(2)
    free.settle()
    (report,) = call(free, "GET", "/email/1/reports").json()["results"]
    assert report["error"]["id"] == 6035


def test_suppressions_are_kept_once_filtered_and_deleted(free: Simulator) -> None:
    suppress(free)
    suppress(free, emailAddress=[MAIL, "ada@example.net"])
    assert suppressed(free) == [MAIL, "ada@example.net"]
    assert suppressed(free, recipientDomain="example.net") == ["ada@example.net"]
    assert suppressed(free, emailAddress=MAIL) == [MAIL]
    domains = call(free, "GET", "/email/1/suppressions/domains").json()["results"]
    assert [(one["domainName"], one["createBounces"]) for one in domains] == [("example.com", True)]
    suppress(free, "DELETE", emailAddress=[MAIL])
    assert suppressed(free) == ["ada@example.net"]


def test_what_cannot_be_suppressed_is_named(free: Simulator) -> None:
    answer = suppress(free, type="OVER_QUOTA", emailAddress=["nobody"])
    assert answer.status_code == 400
    places = {one["property"] for one in answer.json()["violations"]}
    assert places == {"suppressions[0].type", "suppressions[0].emailAddress[0]"}
    assert call(free, "GET", "/email/1/suppressions").status_code == 400


def patch(simulator: Simulator, enabled: bool, device: str = DEVICE, code: str = "APP-71") -> requests.Response:
    headers = {"AppCode": code} if code else {}
    body = {"systemData": {"registrationEnabled": enabled}}
    path = f"/people/2/contactInformation/push/{device}"
    return call(simulator, "PATCH", path, json=body, headers=headers)


def test_a_push_registration_that_is_off_gets_nothing_until_it_is_on_again(free: Simulator) -> None:
    errors = []
    for enabled in (False, True):
        answer = patch(free, enabled)
        assert (answer.status_code, answer.json()["systemData"]["registrationEnabled"]) == (200, enabled)
        answer = call(free, "POST", "/push/3/messages", json=BY_PATH["/push/3/messages"].body)
        free.advance(2)
        free.settle()
        errors += [one["error"]["id"] for one in call(free, "GET", "/push/3/reports").json()["results"]]
        free.world.book.clear()
    assert errors == [8013, 0]


def test_the_people_api_refuses_in_its_own_shape() -> None:
    with infobip({**FREE, "registrations": [DEVICE], "applications": ["APP-71"]}) as simulator:
        answers = [
            patch(simulator, False, code=""),
            patch(simulator, False, code="APP-72"),
            patch(simulator, False, device="another"),
            patch(simulator, False),
        ]
        assert [(one.status_code, one.json().get("errorCode")) for one in answers] == [
            (400, 48001),
            (400, 48012),
            (400, 48013),
            (200, None),
        ]
