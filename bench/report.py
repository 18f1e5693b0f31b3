"""The results as a table, and the two sides beside each other."""

from collections.abc import Callable, Sequence
from typing import Final

from bench.measure import Result

_COLUMNS: Final[tuple[tuple[str, Callable[[Result], str]], ...]] = (
    ("database", lambda r: r.database),
    ("size", lambda r: str(r.size)),
    ("system", lambda r: r.system),
    ("callbacks/s", lambda r: f"{r.callbacks:,.0f}"),
    ("accepted/s", lambda r: f"{r.accepted:,.0f}"),
    ("p50 ms", lambda r: f"{r.p50_ms:.1f}"),
    ("p99 ms", lambda r: f"{r.p99_ms:.1f}"),
    ("half load/s", lambda r: f"{r.half_rate:,.0f}" if r.half_rate else "-"),
    ("half p50", lambda r: f"{r.half_p50_ms:.1f}" if r.half_rate else "-"),
    ("half p99", lambda r: f"{r.half_p99_ms:.1f}" if r.half_rate else "-"),
    ("processed/s", lambda r: f"{r.processed:,.0f}"),
    ("CPU us", lambda r: f"{r.cpu_us:,.0f}"),
    ("refused", lambda r: str(r.refused)),
    ("all kept", lambda r: "yes" if r.complete else "NO"),
    ("MiB", lambda r: f"{r.memory_mib:.0f}" if r.memory_mib else "-"),
)
_TEXT: Final = frozenset({"database", "system"})


def head() -> str:
    """Return the line of column names."""
    return _line([name for name, _ in _COLUMNS])


def row(result: Result) -> str:
    """Return one result as a line."""
    return _line([show(result) for _, show in _COLUMNS])


def _line(cells: Sequence[str]) -> str:
    widths = [max(len(name), 10 if name in _TEXT else 7) for name, _ in _COLUMNS]
    padded = [
        cell.ljust(width) if name in _TEXT else cell.rjust(width)
        for cell, width, (name, _) in zip(cells, widths, _COLUMNS, strict=True)
    ]
    return "  ".join(padded).rstrip()


def beside(results: Sequence[Result]) -> list[str]:
    """Return one sentence for each pair of sides: how many times the baseline's throughput end to end."""
    baselines = {(r.database, r.size): r for r in results if r.system == "baseline"}
    sentences = []
    for result in results:
        other = baselines.get((result.database, result.size))
        if result.system != "baseline" and other is not None and other.processed:
            times = result.processed / other.processed
            sentences.append(f"{result.database}, {result.size} a callback: {times:.1f} times the baseline, end to end")
    return sentences
