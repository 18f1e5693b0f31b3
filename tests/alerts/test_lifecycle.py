"""One incident, one notification; then reminders, graver words and its end, and never a page for flapping."""

from datetime import timedelta

from store import by_hand, incident_silences
from store.schema import incidents
from tests.alerts.world import World, posted, titles
from tests.relay.world import Target

TITLE = "Messages fail because the account has no credit (account main)"


def test_many_sightings_are_one_notification_that_says_what_to_do(world: World, target: Target) -> None:
    for _ in range(5):
        world.see(count=20)
        world.work()
    (body,) = posted(target)
    assert body["title"] == f"[critical] {TITLE}"
    assert body["type"] == "failure"
    assert "What to do next: Top up the account." in body["message"]
    assert f"dlr incidents show {world.incident().id}" in body["message"]
    assert body["key"] == f"dlr-{world.incident().id}"
    assert world.incident().count == 100


def test_it_reminds_by_interval_while_it_goes_on(world: World, target: Target) -> None:
    for _ in range(5):
        world.see()
        world.work()
        world.later(hours=5)
    assert titles(target) == [f"[critical] {TITLE}"]
    world.later(hours=0.5)
    world.see()
    world.work()
    assert titles(target)[1:] == [f"[critical] Still: {TITLE}"]


def test_who_works_on_it_is_not_reminded(world: World, target: Target) -> None:
    world.see()
    world.work()
    number = world.incident().id
    assert world.database.repeat(lambda connection: by_hand.acknowledge(connection, number, "eve", world.clock()))
    for _ in range(6):
        world.later(hours=5)
        world.see()
        world.work()
    assert len(target.seen) == 1
    assert world.changes() == ["opened", "acknowledged"]


def test_a_graver_severity_is_told_at_once_also_to_who_works_on_it(world: World, target: Target) -> None:
    world.see(severity="warning")
    world.work()
    number = world.incident().id
    world.database.repeat(lambda connection: by_hand.acknowledge(connection, number, "eve", world.clock()))
    world.see(severity="critical")
    world.work()
    world.see(severity="warning")
    world.work()
    assert titles(target) == [f"[warning] {TITLE}", f"[critical] Worse: {TITLE}"]
    assert (world.incident().severity, world.incident().state) == ("critical", "open")


def test_it_is_resolved_by_itself_after_a_quiet_time_and_that_is_told(world: World, target: Target) -> None:
    world.see()
    world.work()
    world.later(hours=5.9)
    world.work()
    assert world.incident().state == "open"
    world.later(hours=0.2)
    world.work()
    assert world.incident().state == "resolved"
    assert titles(target) == [f"[critical] {TITLE}", f"[critical] Resolved: {TITLE}"]
    assert posted(target)[1]["type"] == "success"
    assert posted(target)[1]["key"] == posted(target)[0]["key"]


def test_it_has_a_quiet_time_of_its_own_where_its_sighting_says_so(world: World, target: Target) -> None:
    world.see(quiet=timedelta(minutes=10))
    world.work()
    world.later(minutes=11)
    world.work()
    assert world.changes() == ["opened", "resolved"]


def test_flapping_does_not_page_until_the_time_is_over(world: World, target: Target) -> None:
    def see() -> None:
        world.see(quiet=timedelta(minutes=10))
        world.work()

    see()
    for _ in range(4):  # up and down every eleven minutes: it ended at 11, 22, 33, 44
        world.later(minutes=11)
        world.work()
        see()
    assert titles(target) == [f"[critical] {TITLE}", f"[critical] Resolved: {TITLE}"]
    assert len(world.rows(incidents)) == 1
    for _ in range(4):  # from then on it goes on, and an hour after people heard of its end they hear that it is back
        world.later(minutes=8)
        see()
    assert titles(target)[2:] == [f"[critical] Back: {TITLE}"]
    assert world.incident().count == 9


def test_what_comes_back_long_after_its_end_is_a_new_incident(world: World, target: Target) -> None:
    world.see()
    world.work()
    world.later(hours=7)
    world.work()
    world.later(hours=2)
    world.see()
    world.work()
    assert titles(target) == [f"[critical] {TITLE}", f"[critical] Resolved: {TITLE}", f"[critical] {TITLE}"]
    assert len({body["key"] for body in posted(target)}) == 2


def test_what_a_person_resolved_is_told_with_their_name_and_pages_when_it_comes_again(
    world: World, target: Target
) -> None:
    world.see()
    world.work()
    number = world.incident().id
    assert world.database.repeat(
        lambda connection: by_hand.resolve(connection, number, "eve", world.clock(), why="topped up")
    )
    world.work()
    assert "by eve" in posted(target)[1]["message"]
    assert "topped up" in posted(target)[1]["message"]
    world.see()
    world.work()
    assert titles(target)[2:] == [f"[critical] {TITLE}"]


def test_a_person_of_another_account_cannot_touch_it(world: World) -> None:
    world.see()
    world.work()
    number = world.incident().id

    def touch(account: str) -> bool:
        return world.database.repeat(
            lambda connection: by_hand.acknowledge(connection, number, "eve", world.clock(), account)
        )

    assert [touch("shop"), touch("main")] == [False, True]


def silence(world: World, hours: float, **scope: object) -> int:
    now = world.clock()
    known: dict[str, object] = {"account": "", "cause": "", "rule": "account-funds", "facts": {}}
    span: dict[str, object] = {"since": now, "until": now + timedelta(hours=hours), "why": "", "who": "eve"}
    return world.database.repeat(lambda connection: incident_silences.make(connection, **(known | scope | span)))  # type: ignore[arg-type]


def test_a_silence_keeps_it_back_and_what_outlasts_it_is_told(world: World, target: Target) -> None:
    silence(world, 2)
    world.see()
    world.work()
    assert target.seen == []
    world.later(hours=1)
    world.see()
    world.work()
    assert target.seen == []
    world.later(hours=1.1)
    world.work()
    assert titles(target) == [f"[critical] {TITLE}"]


def test_what_is_over_before_its_silence_is_never_told(world: World, target: Target) -> None:
    silence(world, 24)
    world.see()
    world.work()
    world.later(hours=7)
    world.work()
    world.later(hours=20)
    world.work()
    assert world.incident().state == "resolved"
    assert target.seen == []


def test_a_silence_of_one_sender_lets_the_others_through(world: World, target: Target) -> None:
    silence(world, 2, facts={"sender": "Shop"})
    world.see("a", facts={"sender": "Shop"}, title="Shop fails")
    world.see("b", facts={"sender": "Bank"}, title="Bank fails")
    world.work()
    assert titles(target) == ["[critical] Bank fails"]


def test_what_a_person_typed_as_it_ended_names_nobody_in_full(world: World, target: Target) -> None:
    world.see()
    world.work()
    number, why = world.incident().id, "+44 7700 900123 and ada@example.com were told"
    who = "eve for 447700900123"
    assert world.database.repeat(lambda c: by_hand.resolve(c, number, who, world.clock(), why=why))
    world.work()
    message = posted(target)[-1]["message"]
    assert "…23 and …@example.com were told" in message
    assert "It was resolved by eve for …23, at" in message
