"""Whoever was told that a group is held hears that somebody decided on it, and who."""

import pytest

from store.schema import guard_holds, incident_events, incidents
from tests.support.desk import Desk
from tests.support.dlr import Dlr
from tests.suppress.people import act, bounce, maintain


@pytest.mark.parametrize(("word", "said"), [("release", "released"), ("drop", "dropped")])
def test_the_incident_ends_by_the_hand_of_who_decided_and_its_end_is_told(
    desk: Desk, dlr: Dlr, word: str, said: str
) -> None:
    act(desk)
    desk.handle(*[bounce(number) for number in range(60)], channel="email")
    maintain(desk)
    [hold] = desk.rows(guard_holds)
    dlr("suppress", "held", word, str(hold.id), "--who", "ada", "--yes")
    [incident] = desk.rows(incidents)
    assert (incident.state, incident.ended_by) == ("resolved", "ada")
    assert incident.resolved_at is not None
    last = desk.rows(incident_events)[-1]
    assert (last.change, last.who, last.spread) == ("resolved", "ada", 0)
    assert said in last.detail
    maintain(desk)
    assert [row.state for row in desk.rows(incidents)] == ["resolved"]
