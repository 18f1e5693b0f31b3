"""Lists are kept in step also for people of whom there is hardly more than reports."""

from pathlib import Path

from codes import shipped
from policy import load_policy
from store.schema import addresses
from tests.support.desk import desk as make_desk
from tests.support.desk import report
from tests.support.dlr import installed
from tests.sync.world import BOTH, World, people

[ADA] = people(1)
NOTHING_IS_SUPPRESSED = """
extends = false

[[rule]]
id = "watch-only"
match = { cause = ["delivered"] }
why = "we only look on"
ignore = true
"""


def test_an_opt_out_of_somebody_forgotten_goes_to_the_list_once_a_report_names_them(
    world: World, database_url: str, tmp_path: Path
) -> None:
    world.suppress(ADA, cause="recipient_opted_out")
    installed(database_url, tmp_path / "state")("forget", ADA, "--yes")
    make_desk(world.database, world.vault).handle(report("m-1", to=ADA))
    world.sync(4)
    assert world.states(ADA) == {"add verified": 1}


def test_a_persons_own_stop_that_no_entry_came_of_is_seen_to_go(world: World, tmp_path: Path) -> None:
    world.switches = BOTH
    policy = tmp_path / "policy.toml"
    policy.write_text(NOTHING_IS_SUPPRESSED)
    world.rules = load_policy(policy, shipped().tables)
    desk = make_desk(world.database, world.vault)
    desk.handle(report("m-1", to=ADA))
    assert desk.rows(addresses) == []
    world.put_there(ADA, source="MO")
    world.sync(4)
    assert world.states(ADA) == {"there": 1}
    world.infobip.world.blocklist._records.clear()
    world.pull_again()
    world.sync(6)
    assert world.states(ADA) == {"gone": 1}
