"""What every benchmark shares: the machine it ran on, and where its numbers go."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augstudy.fingerprint import software

RESULTS = Path(__file__).parent / "results"


def hardware() -> dict[str, Any]:
    """The machine, in words a reader can judge the numbers by."""
    model, memory = platform.processor(), 0.0
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory, 1)}


def summary(values: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Median, extremes and count of repeated measurements."""
    return {
        "median": round(statistics.median(values), digits),
        "low": round(min(values), digits),
        "high": round(max(values), digits),
        "n": len(values),
    }


def write(name: str, results: dict[str, Any]) -> None:
    """Write ``results/<name>.json`` and print it."""
    record = {"hardware": hardware(), "software": software(), **results}
    text = json.dumps(record, indent=1)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
