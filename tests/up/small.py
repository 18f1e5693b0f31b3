"""A supervisor over small programs: `python -m tests.up.small '{"parts": [...], "patience": {...}}'`."""

import json
import runpy
import sys
from functools import partial
from pathlib import Path
from typing import Any

from cli.supervisor.lock import take_lock
from cli.supervisor.loop import Supervisor
from cli.supervisor.part import Part, Patience
from cli.supervisor.screen import Screen


def part(code: str, fork: bool = False, ready_file: str = "", **rest: Any) -> Part:
    """Return a part that runs Python code, as a program or in a fork; it is ready when a file exists."""
    if "after" in rest:
        rest["after"] = tuple(rest["after"])
    if ready_file:
        rest["is_ready"] = Path(ready_file).exists
    if fork:
        return Part(call=partial(runpy.run_path, code), **rest)
    return Part(argv=(sys.executable, code), **rest)


def main() -> int:
    """Run what the argument describes."""
    given = json.loads(sys.argv[1])
    parts = [part(**each) for each in given["parts"]]
    held = (take_lock(Path(given["state"])),) if "state" in given else ()
    screen = Screen(as_json=True)
    patience = Patience(**given.get("patience", {}))
    return Supervisor(parts, screen, on_ready=lambda: screen.say("all ready"), patience=patience, held=held).run()


if __name__ == "__main__":
    sys.exit(main())
