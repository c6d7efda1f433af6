"""Kills smoke studies at random moments and fills their disk, and compares what they find at last.

    python benchmarks/kills.py [--kills 200] [--fills 30] [--seed 0] [--write]

A kill is SIGTERM, SIGINT or SIGKILL, as chance has it, of the run, its worker, a step or the group
of the worker; the study is started again until it is through. Then the hashes of its artifacts and
its summary must be those of a study that was left alone, no process may be left, and nothing that
was half-written. A fill leaves a study on a disk of 64 MiB (a tmpfs, which takes root) without room
at a random moment: it must end with one sentence, or not at all, and go on once there is room.
A study is struck up to 12 times, so that later moments of it have their turn; two studies run at
once. ``--write`` keeps the counts in benchmarks/results/kills.json.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

from common import write

from augstudy.core import artifacts
from augstudy.core.files import DRAFT

SIGNALS = ("SIGTERM", "SIGINT", "SIGKILL")
TARGETS = ("run", "worker", "step", "group")
ROOM = 64 << 20
MOST = 12  # times that a study is struck, so that it comes to an end
LONGEST = 20.0  # seconds from a start to a strike, at most: it goes on from where it was
AT_ONCE = 2
WORKER, STEPS = "augstudy.local.worker", "augstudy.local.warm"
_OWN = ("provenance", "made_of")


class Study:
    """A smoke study in a folder of its own, started as people start it."""

    def __init__(self, folder: Path, runs: Path | None = None) -> None:
        self.folder, self.runs = folder, runs or folder / "runs"
        (folder / "tmp").mkdir(parents=True, exist_ok=True)

    def start(self) -> "subprocess.Popen[str]":
        """Start it, or go on with it."""
        command = [sys.executable, "-m", "augstudy.cli", "run", "--preset", "smoke"]
        own = {"TMPDIR": str(self.folder / "tmp"), "AUGSTUDY_THREADS": "1"}
        own |= {"AUGSTUDY_LOG": str(self.folder / "log"), "AUGSTUDY_STUDY": str(self.folder)}
        return subprocess.Popen(
            [*command, "--runs-dir", str(self.runs)],
            env={**os.environ, **own},
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def finish(self) -> str:
        """Run it to its end; what it said."""
        with self.start() as process:
            out, err = process.communicate()
        assert process.returncode == 0, err
        return out

    def processes(self) -> dict[int, str]:
        """The processes that belong to it, with their command lines."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"AUGSTUDY_STUDY={self.folder}\0".encode() in (path / "environ").read_bytes():
                    found[int(path.name)] = (path / "cmdline").read_bytes().decode()
        return found

    def found(self) -> tuple[dict[str, list[str]], dict[str, Any]]:
        """Hashes of the artifacts of its last run, by kind, and its summary."""
        run = max(self.runs.glob("[0-9]*"))
        hashes: dict[str, set[str]] = {}
        for path in (run / "artifacts").rglob(artifacts.MANIFEST):
            made = artifacts.read(path.parent)
            if made.manifest.kind != "report":  # which names the run
                hashes.setdefault(made.manifest.kind, set()).add(made.content_hash)
        summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
        return {kind: sorted(found) for kind, found in sorted(hashes.items())}, summary

    def left_behind(self) -> list[str]:
        """What is half-written, or temporary, or still running, once it should be over."""
        deadline = time.monotonic() + 20
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        left = [f"process {number}: {command}" for number, command in self.processes().items()]
        for item in (*self.runs.rglob(".*"), *self.runs.rglob(f"{DRAFT}*")):
            if item.name != ".cache":
                left.append(str(item.relative_to(self.runs)))
        left += [str(item) for item in (self.folder / "tmp").iterdir()]
        for record in self.runs.glob("*/run.json"):
            if json.loads(record.read_text(encoding="utf-8"))["state"] == "running":
                left.append(f"{record} says that it is running")
        return left


def strike(study: Study, process: "subprocess.Popen[str]", name: str, target: str) -> bool:
    """Send a signal; whether there was anything to send it to."""
    known = study.processes()
    steps = [number for number, command in known.items() if STEPS in command]
    numbers = {
        "run": [process.pid],
        "worker": [number for number, command in known.items() if WORKER in command],
        "step": sorted(steps)[1:],  # the first is the one from which they are forked
    }
    numbers["group"] = numbers["worker"]
    if not numbers[target]:
        return False
    send = os.killpg if target == "group" else os.kill
    with contextlib.suppress(ProcessLookupError):
        send(numbers[target][-1], getattr(signal, name))
    return True


def kill_one(study: Study, chance: random.Random, most: int) -> Counter[str]:
    """Kill a study until it is through or was killed so often; what struck it."""
    struck: Counter[str] = Counter()
    while struck.total() < most:
        name, target = chance.choice(SIGNALS), chance.choice(TARGETS)
        with study.start() as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.5, LONGEST))
            hit = process.poll() is None and strike(study, process, name, target)
            _, said = process.communicate()
        assert "This is a bug" not in said, said
        if process.returncode == 0:
            break
        struck[f"{name} {target}"] += hit
    study.finish()
    return struck


def fill_one(study: Study, chance: random.Random, most: int) -> Counter[str]:
    """Fill the disk of a study until it is through or ran out of room so often; how it ended."""
    ends: Counter[str] = Counter()
    while ends.total() < most:
        with study.start() as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.0, LONGEST))
            if process.poll() is not None:
                break
            filler = stuffed(study.runs.parent)
            _, said = process.communicate()
        filler.unlink()
        ends[f"exit code {process.returncode}"] += 1
        lines = [line for line in said.splitlines() if not line.startswith(("Log:", "Warning"))]
        assert process.returncode in (0, 3), said
        assert len(lines) == 1 or not process.returncode, said
    study.finish()
    return ends


@contextlib.contextmanager
def on_disk(folder: Path) -> Iterator[Study]:
    """A study in a folder of its own."""
    yield Study(folder)


@contextlib.contextmanager
def on_tiny_disk(folder: Path) -> Iterator[Study]:
    """A study whose runs lie on a disk of 64 MiB; takes root."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk)]
    subprocess.run(["mount", *options], check=True)
    try:
        yield Study(folder, disk / "runs")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def trial(
    strike_one: Callable[[Study, random.Random, int], Counter[str]],
    place: Callable[[Path], contextlib.AbstractContextManager[Study]],
    times: int,
    seed: int,
    folder: Path,
) -> dict[str, Any]:
    """Strike studies so many times, and compare what they find with one that was left alone."""
    whole = Study(folder / "whole")
    whole.finish()
    expected = whole.found()
    struck, wrong, numbers = Counter[str](), list[str](), count(1)

    def one(most: int) -> Counter[str]:
        number = next(numbers)
        with place(folder / str(number)) as study:
            try:
                met = strike_one(study, random.Random(f"{seed} {number}"), most)
            except AssertionError as error:
                wrong.append(f"study {number}: {error}")
                return Counter()
            if study.found() != expected:
                wrong.append(f"study {number} found something else")
            wrong.extend(f"study {number}: {item}" for item in study.left_behind())
            return met

    with ThreadPoolExecutor(AT_ONCE) as pool:
        while (left := times - struck.total()) > 0 and not wrong:
            # The last strikes are shared out, so that there are as many as were asked for.
            shares = [left // AT_ONCE + (turn < left % AT_ONCE) for turn in range(AT_ONCE)]
            for met in pool.map(one, [min(MOST, share) for share in shares if share]):
                struck += met
            say(f"{struck.total()} of {times}, {dict(struck)}, wrong: {wrong or 'nothing'}")
    studies = next(numbers) - 1
    return {
        "n": struck.total(),
        "studies": studies,
        "by": dict(sorted(struck.items())),
        "wrong": wrong,
    }


def stuffed(disk: Path) -> Path:
    """Take all the room that there is on a disk; the file to delete."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    stream.write(bytes(size))
    return path


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--fills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    found: dict[str, dict[str, Any]] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.kills:
            found["kills"] = trial(kill_one, on_disk, asked.kills, asked.seed, folder / "kills")
        if asked.fills:
            found["fills"] = trial(
                fill_one, on_tiny_disk, asked.fills, asked.seed, folder / "fills"
            )
    say(json.dumps(found, indent=1))
    if asked.write:
        write("kills", {"minutes": round((time.monotonic() - began) / 60, 1), **found})
    return int(any(part["wrong"] for part in found.values()))


if __name__ == "__main__":
    sys.exit(main())
