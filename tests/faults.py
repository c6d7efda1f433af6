"""Kills trainings at random steps, starts them again, and compares the bits at the end.

    python tests/faults.py [KILLS [SEED]]

A kill is SIGTERM or SIGKILL, as chance has it, of a GAN, a classifier and a diffusion model in
turns, each killed again and again until it is through. It takes minutes before the first kill; the
exit code is 1 if a training ends otherwise than undisturbed.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import interrupted
from builders import build_dataset

from augstudy.core import artifacts, telemetry
from augstudy.core.stopping import TERMINATED
from augstudy.settings.judging import JudgeSettings
from augstudy.steps import train_judge
from augstudy.training import checkpoints

CLASSES = ("cow", "giraffe", "zebra")
TRAININGS = ("gan", "cnn", "diffusion")
STEPS = {"gan": 600, "diffusion": 325}
LONGEST_S = 1.5  # between the first progress and the signal
CODES = {
    "": (0,),
    "SIGKILL": (0, -signal.SIGKILL),
    # Before the first training of a step, between two and after the last, nobody handles it.
    "SIGTERM": (0, TERMINATED, -signal.SIGTERM),
}


def main(kills: int, seed: int) -> int:
    """Kill so many times; 0 if all trainings ended with the right bits."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        dataset = build_dataset(Path(folder) / "dataset", CLASSES).path
        settings = JudgeSettings(classifier="baseline", steps=2, cas_steps=0)
        train_judge.run(dataset, dataset.with_name("judge"), settings)
        wanted = {}
        for what in TRAININGS:
            run(what, dataset, Path(folder) / f"{what}-undisturbed")
            wanted[what] = artifacts.read(Path(folder) / f"{what}-undisturbed").content_hash
        done, wrong, number = 0, 0, 0
        while done < kills:
            what, number = TRAININGS[number % len(TRAININGS)], number + 1
            out = Path(folder) / f"{what}-{number}"
            struck = strike(what, dataset, out, chance, kills - done)
            same = artifacts.read(out).content_hash == wanted[what]
            done, wrong = done + len(struck), wrong + (not same)
            say(f"{what} killed {len(struck)} times ({', '.join(struck)}): bits equal: {same}")
    say(f"{done} kills, {wrong} trainings with other bits")
    return 1 if wrong else 0


def strike(what: str, dataset: Path, out: Path, chance: random.Random, most: int) -> list[str]:
    """Kill the training until it is through or was killed `most` times; what struck it."""
    struck: list[str] = []
    while len(struck) < most:
        name = chance.choice(["SIGTERM", "SIGKILL"])
        code = run(what, dataset, out, name, chance.uniform(0, LONGEST_S))
        if code == 0:
            return struck
        struck.append(name)
    run(what, dataset, out)
    return struck


def run(what: str, dataset: Path, out: Path, name: str = "", delay: float = 0.0) -> int:
    """One start of the training, in a process of its own; its exit code."""
    command = [sys.executable, __file__, what, str(dataset), str(out), name, str(delay)]
    done = subprocess.run(command, capture_output=True, text=True)
    code = done.returncode
    assert code in CODES[name], f"{what}, {name or 'no signal'}: exit code {code}\n{done.stderr}"
    return code


def child(what: str, dataset: str, out: str, name: str, delay: str) -> None:
    """Train, and have the signal sent so many seconds after the first progress."""
    timer = threading.Timer(
        float(delay), lambda: os.kill(os.getpid(), getattr(signal, name or "SIGCONT"))
    )
    timer.daemon = True

    def progress(*_: object) -> None:
        if name and not timer.is_alive() and not timer.finished.is_set():
            timer.start()

    telemetry.Stage.progress = progress
    checkpoints.EVERY_S = 0.0  # a checkpoint at every chance, so that kills meet their writing
    for kind, steps in STEPS.items():
        settings = interrupted.GENERATORS[kind].model_copy(update={"steps": steps})
        interrupted.GENERATORS[kind] = settings
    interrupted.CNN = interrupted.CNN.model_copy(update={"epochs": 20, "early_stopping": None})
    interrupted.train(what, Path(dataset), Path(out))
    timer.cancel()


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    given = sys.argv[1:]
    if len(given) == 5:
        child(*given)
    else:
        kills, seed = (*map(int, given), *(20, 0)[len(given) :])
        sys.exit(main(kills, seed))
