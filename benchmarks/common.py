"""What every benchmark shares: the machine it ran on, and where its numbers go."""

import argparse
import json
import resource
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augstudy.core.fingerprint import software
from augstudy.core.machine import hardware

RESULTS = Path(__file__).parent / "results"


def summary(values: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Median, extremes and count of repeated measurements."""
    return {
        "median": round(statistics.median(values), digits),
        "low": round(min(values), digits),
        "high": round(max(values), digits),
        "n": len(values),
    }


def arguments(description: str | None) -> argparse.ArgumentParser:
    """``--repeats`` and ``--write``, under the first line of a benchmark's docstring."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    return parser


def peak_mib() -> float:
    """Peak resident memory of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def tell(name: str, results: dict[str, Any], *, keep: bool) -> None:
    """Print the results, and write them if they are to be kept."""
    if keep:
        write(name, results)
    else:
        print(json.dumps(results, indent=1))


def write(name: str, results: dict[str, Any]) -> None:
    """Write ``results/<name>.json`` and print it."""
    record = {"hardware": hardware(), "software": software(), **results}
    text = json.dumps(record, indent=1)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
