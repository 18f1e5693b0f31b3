"""A pause lets one probe out, then opens in rising steps; whatever happens, no more leaves than that, and all does."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

from hypothesis import given, settings
from hypothesis import strategies as st

from policy.opening import (
    CLOSED,
    FIRST_DELAY,
    INTERVAL,
    LAST,
    LONGEST_DELAY,
    PATIENCE,
    PROBE,
    ROUNDS,
    Close,
    Enter,
    Fared,
    Over,
    Shut,
    Stage,
    opening,
    size,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
NOTHING = Fared()
SHARE = 0.3


def test_while_it_is_closed_everything_waits_for_its_end() -> None:
    until = NOW + MINUTE
    assert opening(Stage(until), NOTHING, NOTHING, SHARE, NOW) == Shut(until, until)


def test_what_a_person_paused_waits_for_that_person() -> None:
    assert opening(Stage(None), NOTHING, NOTHING, SHARE, NOW) == Shut(None, None)


def test_at_its_end_one_leaves_and_the_next_waits_for_what_becomes_of_it() -> None:
    way = opening(Stage(NOW), NOTHING, NOTHING, SHARE, NOW)
    assert way == Enter(PROBE, NOW + PATIENCE, 1)
    probing = Stage(NOW + PATIENCE, PROBE, gone=1)
    assert opening(probing, Fared(silent=1), NOTHING, SHARE, NOW + SECOND) == Shut(
        NOW + SECOND + INTERVAL, NOW + SECOND + INTERVAL
    )


def test_a_probe_that_arrives_opens_it_at_once() -> None:
    probing = Stage(NOW + PATIENCE, PROBE, gone=1)
    assert opening(probing, Fared(good=1), NOTHING, SHARE, NOW) == Enter(2, NOW + INTERVAL, 1)


def test_each_probe_that_fails_prolongs_it_by_twice_the_time_up_to_a_limit() -> None:
    delay, spans = timedelta(), []
    for _ in range(8):
        way = opening(Stage(NOW + PATIENCE, PROBE, 1, delay=delay), Fared(bad=1), NOTHING, SHARE, NOW)
        assert isinstance(way, Close)
        assert way.until == NOW + way.delay
        delay = way.delay
        spans.append(delay)
    assert spans[:3] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]
    assert spans[-1] == spans[-2] == LONGEST_DELAY


def test_a_probe_that_failed_for_the_persons_own_reason_is_followed_by_another() -> None:
    probing = Stage(NOW + PATIENCE, PROBE, gone=1)
    assert opening(probing, Fared(other=1), NOTHING, SHARE, NOW) == Enter(PROBE, NOW + PATIENCE, 1)


def test_a_probe_that_nobody_hears_of_is_followed_by_another_and_after_some_it_opens() -> None:
    probing = Stage(NOW, PROBE, gone=1)
    assert opening(probing, Fared(lost=1), NOTHING, SHARE, NOW) == Enter(PROBE, NOW + PATIENCE, 1)
    assert opening(probing, Fared(lost=ROUNDS), NOTHING, SHARE, NOW) == Enter(2, NOW + INTERVAL, 1)


def test_a_probe_that_did_not_leave_after_all_makes_room_for_another() -> None:
    probing = Stage(NOW + PATIENCE, PROBE, gone=0)
    assert opening(probing, NOTHING, NOTHING, SHARE, NOW) == Enter(PROBE, NOW + PATIENCE, 1)


def test_the_steps_double_and_the_last_one_ends_it() -> None:
    assert [size(step) for step in range(1, 6)] == [1, 2, 4, 8, 16]
    full = Fared(good=size(LAST))
    assert opening(Stage(NOW, LAST, size(LAST)), full, NOTHING, SHARE, NOW) == Over()


def test_a_step_whose_messages_fail_again_closes_it() -> None:
    stage = Stage(NOW + MINUTE, 4, gone=8)
    assert isinstance(opening(stage, Fared(good=1, bad=3), Fared(good=4), SHARE, NOW), Close)
    assert isinstance(opening(stage, Fared(good=5, bad=1), Fared(good=4), SHARE, NOW), Shut)


def test_one_phone_that_is_switched_off_does_not_close_a_step() -> None:
    assert opening(Stage(NOW, 2, gone=2), Fared(good=1, bad=1), Fared(good=1), SHARE, NOW) == Enter(
        3, NOW + INTERVAL, 1
    )


def test_a_long_line_is_spread_over_the_steps_to_come() -> None:
    def turn(held: int) -> timedelta:
        way = opening(Stage(NOW + INTERVAL, 2, gone=2, held=held), NOTHING, NOTHING, SHARE, NOW)
        assert isinstance(way, Shut)
        assert way.until is not None
        assert way.soonest == NOW + INTERVAL
        return (way.until - NOW) / INTERVAL * MINUTE

    # The third step lets out 4, the fourth 8, the fifth 16 ...
    assert [turn(held) / MINUTE for held in (0, 3, 4, 11, 12, 27, 28)] == [1, 1, 2, 2, 3, 3, 4]
    assert turn(10**9) == (LAST - 1) * MINUTE


@dataclass
class Line:
    """A scope that is down until `cured`, and messages that wait in it; time goes on second by second where needed."""

    cured: datetime
    latency: timedelta
    shares: tuple[float, float]
    """Of messages to people who fail for reasons of their own, and of those that nobody ever hears of."""
    seed: int
    stage: Stage = field(default_factory=lambda: Stage(NOW))
    left: list[tuple[datetime, int, str]] = field(default_factory=list)
    """When, in which step, and how it will turn out, since it was closed last."""
    rounds: list[tuple[int, list[datetime]]] = field(default_factory=list)
    """Each time a step was entered: which one, and when messages left in it."""
    over: bool = False

    def fate(self, number: int, now: datetime) -> str:
        draw = ((number * 2654435761 + self.seed) % 2**32) / 2**32
        if draw < self.shares[0]:
            return "other"
        if draw < sum(self.shares):
            return "silent"
        return "good" if now >= self.cured else "bad"

    def fared(self, step: int, now: datetime) -> Fared:
        counts: Counter[str] = Counter()
        for at, of, fate in self.left:
            if of == step:
                heard = fate if fate != "silent" and now >= at + self.latency else "silent"
                counts["lost" if heard == "silent" and now >= at + PATIENCE else heard] += 1
        return Fared(**counts)

    def ask(self, number: int, now: datetime) -> datetime | None:
        """Let a message ask; return when to ask again, or nothing where it left."""
        if self.over:
            return None
        stage = self.stage
        way = opening(stage, self.fared(stage.step, now), self.fared(stage.step - 1, now), SHARE, now)
        match way:
            case Shut():
                assert way.until is not None
                assert way.until > now, "whoever is held back asks later, not at once"
                held = stage.held + (stage.step >= PROBE)
                self.stage = Stage(stage.until, stage.step, stage.gone, held, stage.delay)
                return way.until
            case Close():
                assert way.until > now
                self.stage = Stage(way.until, CLOSED, delay=way.delay)
                self.left = []
                return way.until
            case Over():
                self.over = True
                return None
            case Enter():
                self._enter(way, number, now)
                return None

    def _enter(self, way: Enter, number: int, now: datetime) -> None:
        stage = self.stage
        assert way.step in (stage.step, stage.step + 1), "no step is left out"
        assert 1 <= way.gone <= size(way.step), "no more leaves than the step lets out"
        if way.step == PROBE:
            assert not self.fared(PROBE, now).silent, "never two probes are out"
        if way.gone == 1:
            self.rounds.append((way.step, []))
        held = 0 if way.gone == 1 else stage.held
        self.stage = Stage(way.until, way.step, way.gone, held, stage.delay)
        self.left.append((now, way.step, self.fate(number, now)))
        self.rounds[-1][1].append(now)

    def run(self, messages: int) -> list[datetime]:
        """Let all ask until all have left; return when they did."""
        waiting = [(NOW, number) for number in range(messages)]
        gone = []
        while waiting:
            now, number = heappop(waiting)
            again = self.ask(number, now)
            if again is None:
                gone.append(now)
            else:
                heappush(waiting, (again, number))
        return gone


@settings(max_examples=150, deadline=None)
@given(
    messages=st.integers(1, 120),
    outage=st.integers(0, 20 * 60),
    latency=st.integers(0, 400),
    own=st.floats(0, 1),
    silent=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_nothing_makes_it_let_out_too_much_or_hold_anything_for_ever(
    messages: int, outage: int, latency: int, own: float, silent: float, seed: int
) -> None:
    line = Line(NOW + outage * SECOND, latency * SECOND, (own, silent * (1 - own)), seed)
    gone = line.run(messages)
    assert len(gone) == messages
    assert all(len(left) <= size(step) for step, left in line.rounds)
    # After the cure the pause ends at the latest after its longest delay. Then the steps go through, of which a network
    # that never confirms takes `ROUNDS` rounds each.
    steps = ROUNDS * (PATIENCE + LAST * INTERVAL)
    assert max(gone) <= line.cured + LONGEST_DELAY + steps + messages * INTERVAL


@settings(max_examples=40, deadline=None)
@given(messages=st.integers(1, 300), hours=st.integers(1, 48), latency=st.integers(0, 59))
def test_an_outage_costs_a_handful_however_many_wait(messages: int, hours: int, latency: int) -> None:
    line = Line(NOW + timedelta(hours=hours), latency * SECOND, (0.0, 0.0), 0)
    lost = [at for at in line.run(messages) if at < line.cured]
    # One each time that it ends: after 10, 20, 40 ... minutes and then every six hours.
    assert len(lost) <= 7 + hours // 6
