"""Each member of a report is kept under its own name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from codes import CodeRef, load_codes
from reports import Event, Report
from reports.words import OptWords
from store.inbox import Callback
from store.ledger import REPORT
from store.vault import Keys, Vault
from workers import rows
from workers.prepare import Prepared, Preparer, fingerprint

SENT = datetime(2026, 11, 3, 10, 0, 0, tzinfo=UTC)
DONE = SENT + timedelta(seconds=7)
RECEIVED = SENT + timedelta(seconds=9)
REPORT_ = Report(
    event=Event.DELIVERY,
    kind="DELIVERY",
    family="unified",
    raw={},
    account="shop",
    channel="rcs",
    own_channel="RCS",
    message_id="parcel-88-1",
    bulk_id="bulk-of-tuesday",
    recipient="447700900188",
    sender="Harbour",
    status=CodeRef(9, "UNDELIVERABLE_NOT_DELIVERED", 2, "UNDELIVERABLE"),
    error=CodeRef(27, "EC_ABSENT_SUBSCRIBER", 1, "HANDSET_ERRORS", False),
    sent_at=SENT,
    done_at=DONE,
    event_at=DONE,
    price="0.031",
    currency="GBP",
    count=3,
    mcc_mnc="23430",
    application="orders",
    entity="north",
    campaign="winter",
    smtp="452 4.2.2",
)


def prepared(report: Report, *, trusted: bool = True, channel: str = "rcs") -> tuple[Prepared, Vault]:
    vault = Vault(Keys(bytes(range(32)), (bytes(32),)))
    preparer = Preparer(vault, load_codes(None), OptWords.of("stop", "quit", "start"))
    callback = Callback(
        id=71,
        account="shop",
        channel=channel,
        received_at=RECEIVED,
        content_type="application/json",
        body=b"",
        trusted=trusted,
        state="new",
        alone_attempts=0,
    )
    return preparer.item(callback, 5, report), vault


def test_each_fact_is_kept_under_its_name() -> None:
    item, _ = prepared(replace(REPORT_, detail={"bad_dates": {"seenAt": "soon"}}))
    assert rows.facts_of(item) == {
        "message_id": "parcel-88-1",
        "bulk_id": "bulk-of-tuesday",
        "status": {"id": 9, "name": "UNDELIVERABLE_NOT_DELIVERED", "group_id": 2, "group": "UNDELIVERABLE"},
        "error": {
            "id": 27,
            "name": "EC_ABSENT_SUBSCRIBER",
            "group_id": 1,
            "group": "HANDSET_ERRORS",
            "permanent": False,
        },
        "leg": "RCS",
        "sender": "Harbour",
        "mcc_mnc": "23430",
        "price": "0.031",
        "currency": "GBP",
        "count": 3,
        "campaign": "winter",
        "application": "orders",
        "entity": "north",
        "family": "unified",
        "sent_at": 1793700000000,
        "bad_dates": {"seenAt": "soon"},
    }


def test_what_is_odd_about_a_report_is_kept_under_its_name() -> None:
    ahead, _ = prepared(replace(REPORT_, event_at=RECEIVED + timedelta(hours=1)), trusted=False)
    facts = rows.facts_of(ahead)
    assert (facts["time_replaced"], facts["time_ahead"], facts["untrusted"]) == (True, True, True)
    old, _ = prepared(replace(REPORT_, event_at=datetime(2001, 1, 1, tzinfo=UTC)))
    assert rows.facts_of(old)["time_replaced"] is True
    assert "time_ahead" not in rows.facts_of(old)
    mail, _ = prepared(replace(REPORT_, channel="email", error=None, smtp="550 5.1.1 no"))
    assert rows.facts_of(mail)["smtp"] == "5.1.1"
    stop, _ = prepared(Report(event=Event.INBOUND, kind="INBOUND", family="mo", raw={}, detail={"text": "stop"}))
    assert rows.facts_of(stop)["word"] == "stop"


def test_each_member_of_a_prepared_item_has_its_own_value() -> None:
    item, vault = prepared(REPORT_)
    assert (item.callback_id, item.index, item.report, item.trusted) == (71, 5, REPORT_, True)
    assert (item.received_at, item.received_ms) == (RECEIVED, 1793700009000)
    assert (item.event_at, item.event_ms, item.replaced_time) == (DONE, 1793700007000, False)
    assert item.meaning is not None
    assert (item.event, item.word, item.attempt, item.mistyped) == (None, "", 0, False)
    assert item.fingerprint == fingerprint(REPORT_, event_ms=1793700007000)
    assert item.recipient == vault.hash_address("shop", "447700900188")
    assert item.message_key == vault.digest("message", "shop", "parcel-88-1", "447700900188")
    assert item.other_key == b""
    assert prepared(REPORT_, channel="unknown")[0].mistyped is True
    seen, _ = prepared(replace(REPORT_, event=Event.SEEN, kind="SEEN"))
    assert seen.other_key == vault.digest("message", "shop", "parcel-88-1", "Harbour")


def test_a_report_is_kept_in_the_order_of_its_columns() -> None:
    item, _ = prepared(REPORT_)
    row = dict(zip(REPORT, rows.report_line(900, item, "failed", "recipient_unreachable", apart=True), strict=True))
    facts = row.pop("facts")
    assert facts.startswith('{"message_id":"parcel-88-1"')
    assert row == {
        "id": 900,
        "account": "shop",
        "callback_id": 71,
        "item_index": 5,
        "message_key": item.message_key,
        "recipient": item.recipient,
        "event": "delivery",
        "kind": "DELIVERY",
        "channel": "rcs",
        "outcome": "failed",
        "cause": "recipient_unreachable",
        "event_at": 1793700007000,
        "received_at": 1793700009000,
        "apart": True,
    }
    given = dict(zip(REPORT, rows.given_to(tuple(row.get(name, facts) for name in REPORT), b"k", b"r"), strict=True))
    assert (given["message_key"], given["recipient"], given["apart"]) == (b"k", b"r", False)
    assert {**given, **{name: row[name] for name in ("message_key", "recipient", "apart")}} == {**row, "facts": facts}
