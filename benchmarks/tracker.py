"""The tracker with many runs: seconds to list them in a terminal and for the web page.

    python benchmarks/tracker.py --runs 10000

The command is a process of its own, start-up included, and shows the twenty best by accuracy. The
page's table is asked for over loopback as the page asks for it, a screenful of all rows at a time.
Both look first whether a folder has changed since it was indexed.
"""

import argparse
import functools
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import common

from augstudy.results import files
from augstudy.results.models import Study
from augstudy.runs.folder import RunsFolder

FILTER = {"where": 'accuracy > 0.6 and arm == "add"', "sort": "-accuracy"}


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for number in range(1, options.runs + 1):
            write_run(folder / f"{number:04d}", number)
        began = time.perf_counter()
        RunsFolder(folder).rebuild()
        rebuilt = time.perf_counter() - began
        command = [sys.executable, "-m", "augstudy.cli"]
        listing = [*command, "runs", "--runs-dir", scratch, "--limit", "20", "--sort", "-accuracy"]
        server = [*command, "ui", "--runs-dir", scratch, "--port", "0"]
        with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            address = process.stdout.readline().split()[0]
            works: dict[str, Callable[[], object]] = {
                "command": lambda: subprocess.run(listing, check=True, capture_output=True),
                "page": lambda: read(f"{address}api/rows"),
                "page_filtered": lambda: read(f"{address}api/rows?{urlencode(FILTER)}"),
            }
            seconds = {name: timed(work, options.repeats) for name, work in works.items()}
            process.terminate()
    results = {
        "command": f"python benchmarks/tracker.py --runs {options.runs}",
        "runs": options.runs,
        "reindex_s": round(rebuilt, 2),
        "seconds": {name: common.summary(values) for name, values in seconds.items()},
    }
    common.write("tracker", results)


def write_run(folder: Path, number: int) -> None:
    """A finished study of two arms, as far as a record takes it."""
    folder.mkdir()
    accuracy = 0.5 + 0.45 * (number * 7919 % 9001) / 9000
    score = {"value": accuracy, "low": accuracy - 0.02, "high": accuracy + 0.02}
    facts = {
        "name": folder.name,
        "pipeline": "augmentation_study",
        "state": "done",
        "started": 1_700_000_000 + 600 * number,
        "duration_s": number % 4000,
        "parameters": {"source": "sample", "level": 60, "classifier": "modern"},
    }
    study = published_study()
    arms = {
        label: arm.model_copy(
            update={"metrics": {"accuracy": arm.accuracy.model_copy(update=score)}}
        )
        for label, arm in study.arms.items()
    }
    (folder / "run.json").write_text(json.dumps(facts))
    files.write(folder, study.model_copy(update={"arms": arms}))


@functools.cache
def published_study() -> Study:
    """Two arms of a study that is published in this repository."""
    text = (Path(__file__).parents[1] / "results" / "scarcity.json").read_text()
    beside = ("run", "gan_accuracy", "confused", "cost")
    level = json.loads(text)["levels"][0]
    found = files.summary({name: value for name, value in level.items() if name not in beside})
    assert isinstance(found, Study)
    arms = {label: found.arms[label] for label in ("real", "add:1")}
    differences = {"add:1": found.differences["add:1"]}
    changes = {"arms": arms, "differences": differences, "pairs": (), "discriminator": None}
    return found.model_copy(update=changes)


def read(address: str) -> bytes:
    """What the server answers."""
    with urllib.request.urlopen(address) as answer:
        body: bytes = answer.read()
    return body


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each repetition, after one that is not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
