"""Kills smoke studies at random moments and fills their disk, and compares what they find at last.

    python benchmarks/kills.py [--kills 200] [--fills 30] [--seed 0] [--write]

A kill is SIGTERM, SIGINT or SIGKILL, as chance has it, of the run, its worker, a step or the group
of the worker; the study is started again until it is through. Then the hashes of its artifacts and
its summary must be those of a study that was left alone, no process may be left, and nothing that
was half-written. A fill leaves a study on a disk of 64 MiB (a tmpfs, which takes root) without room
at a random moment: it must end with one sentence, or not at all, and go on once there is room.
Two to four hours for all of it; ``--write`` keeps the counts in benchmarks/results/kills.json.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augstudy.core import artifacts
from augstudy.core.files import DRAFT

SIGNALS = ("SIGTERM", "SIGINT", "SIGKILL")
TARGETS = ("run", "worker", "step", "group")
ROOM = 64 << 20
RESULTS = Path(__file__).parent / "results" / "kills.json"
MOST = 12  # kills of one study, so that it comes to an end
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


def kill_one(study: Study, chance: random.Random, longest: float, most: int) -> Counter[str]:
    """Kill a study until it is through or was killed so often; what struck it."""
    struck: Counter[str] = Counter()
    while struck.total() < most:
        name, target = chance.choice(SIGNALS), chance.choice(TARGETS)
        with study.start() as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.5, longest))
            hit = process.poll() is None and strike(study, process, name, target)
            _, said = process.communicate()
        assert "This is a bug" not in said, said
        if process.returncode == 0:
            break
        struck[f"{name} {target}"] += hit
    study.finish()
    return struck


def kill(kills: int, seed: int, folder: Path, most: int = MOST) -> dict[str, Any]:
    """Kill so many times, and compare what the studies find with one that was left alone."""
    chance, whole, wrong = random.Random(seed), Study(folder / "whole"), list[str]()
    began = time.monotonic()
    whole.finish()
    longest, expected = time.monotonic() - began, whole.found()
    struck: Counter[str] = Counter()
    number = 0
    while struck.total() < kills:
        number += 1
        study = Study(folder / str(number))
        struck += kill_one(study, chance, longest, min(most, kills - struck.total()))
        if study.found() != expected:
            wrong.append(f"study {number} found something else")
        wrong += [f"study {number}: {item}" for item in study.left_behind()]
        say(f"{struck.total()} kills, {number} studies, wrong: {wrong or 'nothing'}")
    return {"kills": struck.total(), "by": dict(sorted(struck.items())), "wrong": wrong}


def fill(fills: int, seed: int, folder: Path) -> dict[str, Any]:
    """Fill the disk of studies at random moments, make room, and compare what they find."""
    chance, wrong, ends = random.Random(seed), list[str](), Counter[str]()
    whole = Study(folder / "whole-for-disks")
    began = time.monotonic()
    whole.finish()
    longest, expected = time.monotonic() - began, whole.found()
    for number in range(1, fills + 1):
        home = folder / f"disk-{number}"
        with tiny_disk(home / "disk") as disk:
            study = Study(home, disk / "runs")
            with study.start() as process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(chance.uniform(0.0, longest))
                filler = stuffed(disk)
                _, said = process.communicate()
            ends[f"exit code {process.returncode}"] += 1
            lines = [line for line in said.splitlines() if not line.startswith(("Log:", "Warning"))]
            if process.returncode not in (0, 3) or (process.returncode and len(lines) != 1):
                wrong.append(f"fill {number}: exit code {process.returncode}: {said}")
            filler.unlink()
            study.finish()
            if study.found() != expected:
                wrong.append(f"fill {number} found something else")
            wrong += [f"fill {number}: {item}" for item in study.left_behind()]
        say(f"{number} fills, {dict(ends)}, wrong: {wrong or 'nothing'}")
    return {"fills": fills, "ends": dict(ends), "wrong": wrong}


def stuffed(disk: Path) -> Path:
    """Take all the room that there is on a disk; the file to delete."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    stream.write(bytes(size))
    return path


@contextlib.contextmanager
def tiny_disk(folder: Path) -> Iterator[Path]:
    """A disk of 64 MiB; takes root."""
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    subprocess.run(["mount", *options], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--fills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, dict[str, Any]] = {}
        if asked.kills:
            found |= {"kills": kill(asked.kills, asked.seed, Path(folder))}
        if asked.fills:
            found |= {"fills": fill(asked.fills, asked.seed, Path(folder))}
    say(json.dumps(found, indent=1))
    if asked.write:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(any(part["wrong"] for part in found.values()))


if __name__ == "__main__":
    sys.exit(main())
