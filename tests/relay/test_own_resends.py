"""An application gets no reports on ids that it never sent: those of our own resends are taken out of a callback."""

import gzip
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from config.settings import load_settings
from store import aliases
from store.aliases import Original
from store.messages import key_of
from tests.relay.world import HEADERS, Target, World, raw_of, status
from tests.support.desk import PERSON
from workers.context import open_context

SIGNED = "sha256=0a1b2c"
THEIRS = (
    '{"messageId": "order-8", "to": "447700900456", "price": {"pricePerMessage": 0.010000000000000000208, '
    '"currency": "EUR"}, "callbackData": "caf\\u00e9 \\/", "extra": 123456789012345678901234567890, '
    '"status": {"id": 5, "groupId": 3}}'
)
OURS = f'{{"messageId": "order-7-r1", "to": "{PERSON}", "status": {{"id": 5, "groupId": 3}}}}'
SEEN = f'{{"messageId": "order-7-r1", "from": "Shop", "to": "{PERSON}", "seenAt": "2026-03-09T10:00:00.000+0000"}}'
# The same with the two taken the other way round, as some channels have it.
SEEN_TURNED = SEEN.replace('"Shop"', '"x"').replace(PERSON, "Shop").replace('"x"', f'"{PERSON}"')


def results(*items: str) -> bytes:
    return f'{{"bulkId": "b-1", "results": [{", ".join(items)}], "n": 1.10}}'.encode()


def resend(world: World, *ids: str) -> World:
    """Say that messages of these ids were sent again by us."""
    vault = world.context.vault
    with world.database.transaction() as connection:
        for number, one in enumerate(ids, 1):
            original = Original(key_of(vault, "main", "order-7", PERSON), number)
            aliases.add(connection, key_of(vault, "main", one, PERSON), "main", original, datetime.now(UTC))
    return world


@pytest.fixture
def known(world: World) -> World:
    """An installation that has sent a message again."""
    return resend(world, "order-7-r1", "f0e1d2")


@pytest.fixture
def signing(known: World) -> World:
    """One that has Infobip's secret as well."""
    known.context.database.close()
    known.context = open_context(load_settings({**known.environ, "DLR_HMAC_SECRET": "shared"}))
    return known


def test_reports_on_resends_are_taken_out_and_the_rest_keeps_its_digits(known: World, target: Target) -> None:
    known.arrive(results(OURS, THEIRS, OURS.replace("order-7-r1", "f0e1d2")))
    assert known.send() == 1
    [seen] = target.seen
    assert seen.body == f'{{"bulkId":"b-1","results":[{THEIRS}],"n":1.10}}'.encode()
    assert seen.header("X-Hub-Signature") is None
    assert seen.header("Authorization") == HEADERS["Authorization"]
    assert seen.header("Content-Length") == str(len(seen.body))
    assert known.states() == ["done"]


@pytest.mark.parametrize("body", [results(OURS), results(OURS, SEEN), OURS.encode(), f"[{OURS}]".encode()])
def test_a_callback_of_nothing_else_is_not_passed_on(known: World, target: Target, body: bytes) -> None:
    known.arrive(body)
    assert known.send() == 1
    assert target.connections == 0
    [row] = known.rows()
    assert (row.state, row.last_error) == ("done", "not sent: it holds nothing but reports on our own resends")
    assert known.opened() == {}


def test_a_form_of_nothing_else_is_not_passed_on(known: World, target: Target) -> None:
    headers = {**HEADERS, "Content-Type": "application/x-www-form-urlencoded"}
    known.arrive(f"messageId=order-7-r1&to={PERSON}&status.id=5".encode(), headers)
    known.send()
    assert target.seen == []
    assert known.states() == ["done"]


@pytest.mark.parametrize("item", [SEEN, SEEN_TURNED], ids=["to", "from"])
def test_a_seen_report_on_a_resend_is_taken_out_whoever_it_calls_the_sender(
    known: World, target: Target, item: str
) -> None:
    known.arrive(results(item, THEIRS), channel="whatsapp")
    known.send()
    assert [item["messageId"] for item in json.loads(target.seen[0].body)["results"]] == ["order-8"]


def test_xml_loses_the_items_and_nothing_else(known: World, target: Target) -> None:
    start = '<?xml version="1.0" encoding="UTF-8"?>\n<reportResponse xmlns="urn:x">\n <results>\n  '
    ours = f"<result><messageId>order-7-r1</messageId><to>{PERSON}</to><status><id>5</id></status></result >"
    theirs = "<result a='1>0'><messageId>order-8</messageId><to>447700900456</to><price>0.0100</price>é<x/></result>"
    rest = "\n  <!-- <result> --><result/>\n </results><n>1.10</n>\n</reportResponse>"
    known.arrive(f"{start}{ours}{theirs}{ours}{rest}".encode(), {**HEADERS, "Content-Type": "application/xml"})
    known.send()
    assert target.seen[0].body.decode() == f"{start}{theirs}{rest}"
    assert target.seen[0].header("Content-Type") == "application/xml"
    assert target.seen[0].header("X-Hub-Signature") is None


def test_what_came_packed_is_packed_again_and_signed_as_it_leaves(signing: World, target: Target) -> None:
    body = results(OURS, THEIRS)
    packed, headers = gzip.compress(body), {**HEADERS, "Content-Encoding": "gzip"}
    signing.arrive(body, headers, came=raw_of(packed, headers))
    signing.send()
    [seen] = target.seen
    assert json.loads(gzip.decompress(seen.body))["results"] == [json.loads(THEIRS)]
    assert seen.header("Content-Encoding") == "gzip"
    expected = "sha256=" + hmac.new(b"shared", seen.body, hashlib.sha256).hexdigest()
    assert [value for name, value in seen.headers if name.lower() == "x-hub-signature"] == [expected]


@pytest.mark.parametrize(
    "body",
    [
        b' {"results" : [ ' + THEIRS.encode() + b" ] }\n",
        results(OURS.replace(PERSON, "447700900456"), THEIRS),
        results(OURS.replace("order-7-r1", "order-7-r2")),
        b'{"results": [{"messageId"',
        b"\xff\x00",
    ],
    ids=["other", "other person", "other id", "broken", "nonsense"],
)
def test_every_other_callback_stays_as_it_came_with_its_signature(signing: World, target: Target, body: bytes) -> None:
    signing.arrive(body)
    signing.send()
    assert target.seen[0].body == body
    assert target.seen[0].header("X-Hub-Signature") == SIGNED


def test_where_nothing_can_be_taken_out_safely_everything_is_passed_on(known: World, target: Target) -> None:
    pairs = [f"results[0].messageId=order-7-r1&results[0].to={PERSON}&results[0].status.id=5"]
    body = "&".join([*pairs, "results[1].messageId=order-8&results[1].to=447700900456&results[1].status.id=5"]).encode()
    known.arrive(body, {**HEADERS, "Content-Type": "application/x-www-form-urlencoded"})
    known.send()
    assert target.seen[0].body == body
    assert target.seen[0].header("X-Hub-Signature") == SIGNED


def test_another_account_with_the_same_id_keeps_its_report(known: World, target: Target) -> None:
    known.arrive(results(OURS, THEIRS), account="shop")
    known.send()
    assert target.seen[0].body == results(OURS, THEIRS)


def test_a_callback_that_need_not_be_sent_tells_nothing_about_a_dead_target(known: World, target: Target) -> None:
    target.always = status(503)
    for _ in range(4):
        known.arrive()
        known.send()
        known.clock.later(minutes=1)
    tried = len(target.seen)
    known.change(due_at=known.clock.now.replace(year=2100))
    known.arrive(results(OURS))
    known.clock.later(minutes=20)
    known.send()
    for _ in range(20):
        known.arrive()
    known.send()
    assert len(target.seen) - tried == 1, "the target was taken for healthy and got more than a probe"
