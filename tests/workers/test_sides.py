"""A seen report finds its message, whichever side it calls sender and whichever of the two arrives first."""

import json

import pytest

from store.schema import messages, reports, retries
from tests.support.desk import PERSON, Desk, report

OURS = "447860000000"


def seen(message: str = "m-1", minute: int = 4, *, turned: bool = True) -> dict[str, object]:
    """Return a seen report; `turned` calls the person the sender."""
    person, ours = ("from", "to") if turned else ("to", "from")
    return {"messageId": message, person: PERSON, ours: OURS, "seenAt": report(minute=minute)["doneAt"]}


def listed(desk: Desk) -> list[tuple[str, str]]:
    """Return (id, state) of what is shown as a message."""
    return [(row.message_id, row.state) for row in desk.rows(messages) if row.message_id]


@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_both_are_one_message_that_was_seen(desk: Desk, turned: bool, order: tuple[int, int], together: bool) -> None:
    both = [seen(turned=turned), report(status=5)]
    items = [both[index] for index in order]
    for callback in [items] if together else [[item] for item in items]:
        desk.handle(*callback, channel="whatsapp")
    assert listed(desk) == [("m-1", "seen")]
    [message] = [row for row in desk.rows(messages) if row.message_id]
    assert message.recipient == desk.vault.hash_address("main", PERSON)
    assert message.sender == "Shop"
    assert {(row.message_key, row.recipient) for row in desk.rows(reports)} == {(message.key, message.recipient)}


def test_a_failure_that_comes_after_its_seen_report_is_not_resent(desk: Desk) -> None:
    desk.handle(seen(), channel="sms")
    desk.handle(report(status=9, error=27, minute=1))
    assert listed(desk) == [("m-1", "seen")]
    assert desk.rows(retries) == []


def test_two_seen_reports_before_the_delivery_are_both_its_own(desk: Desk) -> None:
    desk.handle(seen(minute=4), channel="whatsapp")
    desk.handle(seen(minute=6), channel="whatsapp")
    desk.handle(report(status=5), channel="whatsapp")
    assert listed(desk) == [("m-1", "seen")]
    assert len({row.message_key for row in desk.rows(reports)}) == 1


@pytest.mark.parametrize("together", [(3,), (1, 2), (2, 1), (1, 1, 1)])
def test_a_seen_report_after_they_were_joined_finds_the_message(desk: Desk, together: tuple[int, ...]) -> None:
    items = [seen(minute=4), report(status=5), seen(minute=8)]
    for count in together:
        desk.handle(*items[:count], channel="whatsapp")
        items = items[count:]
    assert listed(desk) == [("m-1", "seen")]
    assert len({row.message_key for row in desk.rows(reports)}) == 1


def test_a_message_that_a_delivery_told_of_is_never_taken_for_another_ones(desk: Desk) -> None:
    desk.handle(seen(), channel="sms")
    desk.handle(report(to=OURS, sender="Shop"))
    desk.handle(report(status=9, error=27, minute=1))
    assert sorted(state for _, state in listed(desk)) == ["failed", "seen"]


@pytest.mark.parametrize("together", [True, False])
def test_products_that_disagree_on_sides_lose_no_report_once_a_delivery_told_which_is_right(
    desk: Desk, together: bool
) -> None:
    # The first seen report and the delivery agree on who is who, the other seen report does not.
    items = [seen(turned=False), report(status=5), seen(minute=6, turned=True)]
    done = [desk.handle(*part, channel="whatsapp") for part in ([items] if together else [[item] for item in items])]
    assert sum(one.reports for one in done) == len(items)
    assert listed(desk) == [("m-1", "seen")]
    assert len({row.message_key for row in desk.rows(reports)}) == 1


def test_a_message_is_shown_once_while_only_its_seen_report_is_known(desk: Desk) -> None:
    desk.handle(seen(), channel="whatsapp")
    assert listed(desk) == [("m-1", "seen")]
    assert PERSON not in json.dumps([row.facts for row in desk.rows(reports)])


def test_the_same_ids_of_two_accounts_are_not_joined(desk: Desk) -> None:
    desk.handle(seen(), channel="whatsapp", account="a")
    desk.handle(report(status=5), channel="whatsapp", account="b")
    assert sorted(listed(desk)) == [("m-1", "delivered"), ("m-1", "seen")]
