"""Hours that suit every place where somebody may live."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from policy.waking import awake_at
from reports.zones import zones_of

QUIET = (time(21), time(8))
RUSSIA = "79161234567"
TOLL_FREE_IN_AMERICA = "18005550123"
A_FORTNIGHT = [datetime(2026, 3, 22, tzinfo=UTC) + timedelta(minutes=20 * turn) for turn in range(3 * 24 * 14)]


def is_asleep(moment: datetime, zone: ZoneInfo) -> bool:
    hour = moment.astimezone(zone).time()
    return hour >= QUIET[0] or hour < QUIET[1]


@pytest.mark.parametrize("number", ["447700900123", RUSSIA, "262692123456", "61291234567"])
def test_wherever_the_person_lives_it_is_day_then_and_as_soon_as_may_be(number: str) -> None:
    zones = zones_of(number)
    assert len(zones) > (number == RUSSIA)
    for now in A_FORTNIGHT[::7]:
        end = awake_at(now, zones, QUIET)
        assert not [zone for zone in zones if is_asleep(end or now, zone)]
        steps = range(int(((end or now) - now) / timedelta(minutes=20)))
        earlier = [now + timedelta(minutes=20 * step) for step in steps]
        assert all(any(is_asleep(moment, zone) for zone in zones) for moment in earlier)


def test_where_no_hour_suits_all_the_first_place_counts() -> None:
    zones = [ZoneInfo("Europe/London"), ZoneInfo("Pacific/Auckland")]
    for now in A_FORTNIGHT[::5]:
        assert not is_asleep(awake_at(now, zones, QUIET) or now, zones[0])
    assert len(zones_of(TOLL_FREE_IN_AMERICA)) > 20
    assert all(awake_at(now, zones_of(TOLL_FREE_IN_AMERICA), QUIET) != now for now in A_FORTNIGHT[::50])


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 28), 10), ((2026, 10, 24), 12), ((2026, 6, 1), 11)])
def test_a_night_in_which_clocks_change_ends_by_the_clock_on_the_wall(day: tuple[int, int, int], hours: int) -> None:
    vienna = ZoneInfo("Europe/Vienna")
    evening = datetime.combine(datetime(*day), QUIET[0], vienna).astimezone(UTC)
    assert awake_at(evening, [vienna], QUIET) == evening + timedelta(hours=hours)


@pytest.mark.parametrize("quiet", [None, (time(7), time(7))])
def test_without_quiet_hours_nobody_sleeps(quiet: tuple[time, time] | None) -> None:
    assert awake_at(A_FORTNIGHT[0], zones_of(RUSSIA), quiet) is None


@pytest.mark.parametrize("address", ["jo@example.com", "881612345678", "", "U4af4980629f0c2b7d1e8a6b5c4d3e2f1"])
def test_what_tells_no_place_has_no_zone(address: str) -> None:
    assert zones_of(address) == ()
