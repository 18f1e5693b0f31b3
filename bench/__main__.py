"""`python -m bench`: post callbacks to the real processes, and to the baseline in the same minute."""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import timeit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from bench.measure import Result, measure
from bench.processes import NotReady, processes
from bench.report import beside, head, row
from bench.servers import PostgreSQL, start_postgresql
from bench.systems import STARTS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    asked = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    results: list[Result] = []
    speed = yardstick()
    print(f"{os.cpu_count()} processors, each counts to ten million in {speed:.2f} s", flush=True)
    try:
        for database in ("sqlite", "postgresql") if asked.database == "both" else (asked.database,):
            _measure_all(database, asked, results)
    except NotReady as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    finally:
        if asked.json and results:
            _write(asked.json, results, speed)
    for sentence in beside(results):
        print(sentence)
    return 0


def _measure_all(database: str, asked: argparse.Namespace, results: list[Result]) -> None:
    with _database(database) as postgresql:
        for size in asked.sizes:
            for name in asked.systems:
                if not results:
                    print(head(), flush=True)
                results.append(measure(name, size, asked.seconds, postgresql, asked.connections))
                print(row(results[-1]), flush=True)


@contextmanager
def _database(name: str) -> Iterator[PostgreSQL | None]:
    if name == "sqlite":
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="dlr-bench-pg-") as folder, processes(Path(folder) / "logs") as started:
        yield start_postgresql(started, Path(folder) / "postgresql")


def yardstick() -> float:
    """Return the seconds that ten million turns of a plain loop take here: the best of three.

    Machines differ by four times and more; beside this, figures of two of them can be compared at all.
    """
    return min(timeit.repeat("for turn in range(10_000_000): total = turn * turn % 7", number=1, repeat=3))


def _write(path: Path, results: Sequence[Result], speed: float) -> None:
    machine = {
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "loop_seconds": round(speed, 3),
    }
    path.write_text(
        json.dumps({"machine": machine, "results": [asdict(result) for result in results]}, indent=2) + "\n"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="sqlite")
    parser.add_argument("--seconds", type=_seconds, default=5.0, help="of posting, flat out and at half load each")
    parser.add_argument("--sizes", type=_sizes, default=[1, 10, 100], help="reports of a callback: 1,10,100")
    parser.add_argument("--systems", type=_systems, default=list(STARTS), help="baseline,product")
    parser.add_argument("--connections", type=int, choices=range(1, 257), metavar="1..256", default=8)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 300:
        raise argparse.ArgumentTypeError("more than 0 and at most 300 seconds")
    return value


def _sizes(text: str) -> list[int]:
    sizes = [int(part) for part in text.split(",")]
    if not all(1 <= size <= 2000 for size in sizes):
        raise argparse.ArgumentTypeError("from 1 to 2000 reports")
    return sizes


def _systems(text: str) -> list[str]:
    names = text.split(",")
    if not set(names) <= set(STARTS):
        raise argparse.ArgumentTypeError(f"some of {','.join(STARTS)}")
    return names


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
