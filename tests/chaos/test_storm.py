"""No message is sent twice for one attempt, or after its end, whatever is killed and whatever Infobip answers.

The small storm runs with all other tests. `pytest tests/chaos/test_storm.py --chaos` runs the large ones, too.
"""

from pathlib import Path

import pytest

from tests.chaos.storm import Size, Storm, storm
from tests.support import postgres

_FINAL = {"delivered", "failed"}


def test_a_small_storm_sends_nothing_twice_and_nothing_after_the_end(tmp_path: Path) -> None:
    with storm(tmp_path, 7, Size(150, mortals=1)) as small:
        small.run(patience=200)
        check(small)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_storm_sends_nothing_twice_and_nothing_after_the_end(
    request: pytest.FixtureRequest, tmp_path: Path, seed: int, kind: str
) -> None:
    if not request.config.getoption("--chaos"):
        pytest.skip("takes minutes; --chaos runs it")
    settings = {}
    if kind == "postgresql":
        settings["DLR_DATABASE_URL"] = postgres.new_database(request.getfixturevalue("postgres_url"))
    with storm(tmp_path, seed, Size(2000), **settings) as large:
        large.run(patience=400)
        check(large)
        states = {row.split(",")[0] for row in large.tally()["resends"]}
        assert {"accepted", "cancelled"} <= states
        assert any(row.startswith("accepted, 2") for row in large.tally()["resends"]), "nothing was posted once more"
        assert min(large.deaths.values()) > 0


def check(ended: Storm) -> None:
    """Look at what became of a storm."""
    print(ended.tally())
    assert ended.taken_twice() == []
    assert ended.left_too_late() == []
    assert ended.unregistered() == []
    found = ended.final_states()
    assert {name: states for name, states in found.items() if sum(states.values()) != 1} == {}
    final = {name: next(iter(states)) for name, states in found.items()}
    assert set(final.values()) <= _FINAL
    truth = ended.truth()
    assert {name: (state, truth[name]) for name, state in final.items() if state != truth[name]} == {}
    assert ended.tally()["kills"]
