"""An offline Infobip: a real HTTP server that accepts sends, posts reports, and fails as it is told.

For tests and for people: Infobip has no sandbox (OUTBOUND facts 2). It knows nothing of `infobip.outbound`, on
purpose: what one of the two has wrong shows at the other.
"""

from infobip.simulator.errors import CannotListen, ScenarioError, SimulatorError
from infobip.simulator.load import load_scenario, read_scenario, shipped_names
from infobip.simulator.scenario import Blocked, Count, Fault, Match, Posting, Rule, Scenario, Step
from infobip.simulator.simulator import Simulator

__all__ = [
    "Blocked",
    "CannotListen",
    "Count",
    "Fault",
    "Match",
    "Posting",
    "Rule",
    "Scenario",
    "ScenarioError",
    "Simulator",
    "SimulatorError",
    "Step",
    "load_scenario",
    "read_scenario",
    "shipped_names",
]
