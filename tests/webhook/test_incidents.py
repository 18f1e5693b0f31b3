"""What the endpoint has to tell a person is told at most once a minute, and everything is counted."""

import time
from collections.abc import Callable
from typing import Any

from codes.channels import AUTO
from store.schema import incidents as incident_table
from tests.support.desk import desk as make_desk
from tests.webhook.world import GOOD, Endpoint, Told, World, body_of, wait_for
from webhook.incidents import Reporter


class TestAReporter:
    def test_what_happens_within_a_minute_is_told_when_the_minute_is_over_and_each_is_counted(self) -> None:
        told = Told()
        reporter = Reporter(told, seconds=0.2)
        for number in range(7):
            reporter.note("kind", "main", f"title {number}", "step")
        assert told.counts == [1]
        wait_for(lambda: len(told.notes) == 2)
        assert told.counts == [1, 6]
        assert told.notes[-1] == ("kind", "main", "title 6", "step")

    def test_what_is_quiet_again_is_told_at_once_the_next_time(self) -> None:
        told = Told()
        reporter = Reporter(told, seconds=0.05)
        reporter.note("kind", "main", "title", "step")
        time.sleep(0.3)
        reporter.note("kind", "main", "title", "step")
        assert told.counts == [1, 1]

    def test_accounts_are_counted_apart(self) -> None:
        told = Told()
        reporter = Reporter(told)
        for account in ("a", "b", "b"):
            reporter.note("kind", account, "title", "step")
        reporter.close()
        assert [note[1] for note in told.notes] == ["a", "b", "b"]

    def test_what_could_not_be_written_is_told_with_the_next(self) -> None:
        class Hurt(Told):
            def note(self, *args: Any, **options: Any) -> None:
                if not self.counts:
                    self.counts.append(0)
                    raise RuntimeError("down")
                super().note(*args, **options)

        told = Hurt()
        reporter = Reporter(told, seconds=0.1)
        reporter.note("kind", "main", "title", "step")
        reporter.note("kind", "main", "title", "step")
        wait_for(lambda: len(told.notes) == 1)
        assert told.counts == [0, 2]

    def test_what_waits_is_told_at_the_end(self) -> None:
        told = Told()
        reporter = Reporter(told)
        for _ in range(3):
            reporter.note("kind", "main", "title", "step")
        reporter.close()
        assert told.counts == [1, 2]


def test_the_incident_of_refused_bodies_counts_every_one(world: World, endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(DLR_WEB_WORKERS="1")
    for number in range(5):
        assert server.post(f'{{"hello": {number}}}').status_code == 400
    server.stop()
    assert sum(row.count for row in world.noted() if row.key == "callback_not_understood") == 5


class TestAMistypedChannel:
    def test_is_one_incident_that_names_the_right_one(self, world: World, endpoint: Callable[..., Endpoint]) -> None:
        """Its reports name no channel themselves, so the worker that decides on them misses one, too."""
        server = endpoint()
        assert server.post(body_of(GOOD), path="/webhook/smss/correct-horse").status_code == 200
        server.stop()
        [one] = opened(world)
        assert "/webhook/sms?" in one.next_step

    def test_is_told_under_any_name_that_is_no_channel(self, world: World, endpoint: Callable[..., Endpoint]) -> None:
        server = endpoint()
        for name in ("unknown", "0123456789abcdef"):
            assert server.post(body_of(GOOD | {"messageId": name}), path=f"/webhook/{name}/correct-horse").ok
        server.stop()
        [one] = opened(world)
        assert (one.rule, one.count) == ("channel_not_known", 2)
        assert "unknown" not in one.next_step

    def test_no_channel_at_all_is_told_by_the_worker(self, world: World) -> None:
        make_desk(world.database, world.vault).handle(GOOD, channel=AUTO)
        assert [one.rule for one in opened(world)] == ["no-channel"]


def opened(world: World) -> list[Any]:
    """Let a worker decide on what was kept, and return the incidents."""
    desk = make_desk(world.database, world.vault)
    desk.drain()
    desk.fold()
    return list(desk.rows(incident_table))
