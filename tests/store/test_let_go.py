"""What a person let go before rows said so leaves after an upgrade, too, whatever the mode of resends is by then."""

import json
from datetime import UTC, datetime

from sqlalchemy import select, text

from policy import Mode
from store import migrate, setting_back
from store.resending import BY_HAND
from store.schema import retries
from tests.suppress.test_migration import at_revision

PORTAL = "posted once more under the same id: ada says that Infobip's portal does not show it"
COLUMNS = "message_key, recipient, attempt, account, channel, due_at, give_up_at, changed_at"
VALUES = ":key, :key, 1, 'main', 'sms', 1, 9999999999999, 1"
# Id -> state, mode, note, and as what the rule planned it (nothing: no decision tells).
ROWS = {
    1: ("planned", "act", "accepted by ada", ""),
    2: ("planned", "act", "made due by ada: they asked", ""),
    3: ("planned", "act", PORTAL, ""),
    4: ("waiting", "act", "made due by ada", ""),
    5: ("planned", "act", "the person sleeps until 08:00", "propose"),
    6: ("unknown", "act", "no answer came", "observe"),
    11: ("planned", "act", "", "act"),
    12: ("planned", "act", "the person sleeps until 08:00", ""),
    13: ("proposed", "propose", "", "propose"),
    14: ("cancelled", "act", "the message arrived", "propose"),
    15: ("planned", "act", "a note: accepted by ada", "act"),
}


def test_what_a_person_let_go_before_is_not_set_back(database_url: str) -> None:
    opened = at_revision(database_url, "0012")
    with opened.transaction() as connection:
        for number, (state, mode, note, planned_as) in ROWS.items():
            row = {"id": number, "key": bytes([number]) * 16, "state": state, "mode": mode, "note": note}
            statement = f"INSERT INTO retries (id, report_id, state, mode, note, rule, {COLUMNS}) "
            connection.execute(
                text(f"{statement} VALUES (:id, :id, :state, :mode, :note, 'unreachable', {VALUES})"), row
            )
            if planned_as:
                actions = [
                    {"rule": "unreachable", "mode": "act", "scope": "channel", "action": "suppress"},
                    {"rule": "unreachable", "mode": planned_as, "attempt": 1, "action": "retry"},
                ]
                connection.execute(
                    text(
                        "INSERT INTO decisions (id, report_id, decided_at, replay, rule, actions, reason, policy, "
                        "tables) VALUES (:id, :id, 1, :replay, 'unreachable', :actions, 'r', 'p', 't')"
                    ),
                    {"id": number, "replay": False, "actions": json.dumps(actions, separators=(",", ":"))},
                )
    migrate.migrate_database(opened)
    with opened.reading() as connection:
        modes = dict(connection.execute(select(retries.c.id, retries.c.mode)).all())
    assert {number for number, mode in modes.items() if mode == BY_HAND} == {1, 2, 3, 4, 5, 6}
    assert {number: modes[number] for number in (11, 12, 13, 14, 15)} == {
        number: ROWS[number][1] for number in (11, 12, 13, 14, 15)
    }
    opened.repeat(lambda connection: setting_back.every(connection, Mode.PROPOSE, datetime.now(UTC)))
    with opened.reading() as connection:
        left = connection.scalars(select(retries.c.id).where(retries.c.state == "planned")).all()
    assert sorted(left) == [1, 2, 3, 5]
    opened.close()
