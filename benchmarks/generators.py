"""The ladder of generators, rung by rung, by the stages of the study.

    python benchmarks/generators.py --drawings FOLDER [--recipes report adc] [--sets mammals ten]
                                    [--seeds 3] [--budget 3600]

Each recipe trains for its own steps or, if those take longer, for as many as fit the budget: CPU
seconds, 3600 being half an hour of two cores. The judge measures what it draws. A measurement that
is in ``results/generators/`` already is not repeated, so that the command can be stopped and
started again; it writes ``results/generators.json`` and a sheet of samples for each set of classes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import numpy as np

from augstudy import artifacts
from augstudy.config import MAMMALS, DataSettings, JudgeSettings
from augstudy.data.dataset import load_split
from augstudy.recipes import GANS, LADDER, gan_recipe
from augstudy.stages import ingest, synthesize, train_gan, train_judge
from augstudy.training import gan

CACHE = common.RESULTS / "generators"
SHEETS = Path(__file__).parents[1] / "docs" / "images"
PROBED = 75
_MAMMALS = {"classes": MAMMALS, "train_per_class": 254, "val_per_class": 84, "test_per_class": 84}
_TEN = {
    "classes": (
        *("airplane", "apple", "banana", "bicycle", "bird"),
        *("cat", "dog", "fish", "flower", "house"),
    ),
    **{"train_per_class": 2400, "val_per_class": 300, "test_per_class": 300},
}
SETS: dict[str, dict[str, Any]] = {"mammals": _MAMMALS, "ten": _TEN}
METRICS = ("fid_qd", "kid", "precision", "recall", "density", "coverage", "gan_test", "cas")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawings", required=True, help="folder of <class>.npy files")
    parser.add_argument("--recipes", nargs="+", default=list(LADDER))
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=3600, help="CPU seconds a training")
    parser.add_argument("--work", default=str(Path(tempfile.gettempdir()) / "generators"))
    parser.add_argument("--one", nargs=3, metavar=("SET", "RECIPE", "SEED"), help="for itself")
    arguments = parser.parse_args()
    work = Path(arguments.work)
    if arguments.one:
        name, recipe, seed = arguments.one
        measure(work / name, name, recipe, int(seed), arguments.budget)
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in arguments.sets:
        prepare(work / name, name, arguments.drawings)
        for seed in range(arguments.seeds):
            for recipe in arguments.recipes:
                if not record_path(name, recipe, seed).exists():
                    # A process of its own: memory and threads are those of one training.
                    command = [sys.executable, *sys.argv, "--one", name, recipe, str(seed)]
                    subprocess.run(command, check=True)
        draw(work / name, name, arguments.recipes)
    collect(arguments)


def prepare(work: Path, name: str, drawings: str) -> None:
    """Dataset and judge of a set of classes."""
    source = f"file://{Path(drawings).resolve()}"
    ingest.run(work / "dataset", DataSettings(source=source, **SETS[name]))
    train_judge.run(work / "dataset", work / "judge", JudgeSettings())


def measure(work: Path, name: str, recipe: str, seed: int, budget: float) -> None:
    """Train one generator, let it draw, and write down what the judge finds."""
    own = gan_recipe(recipe).steps
    cpu_a_step, seconds_a_step = pace(work / "dataset", recipe)
    steps = int(min(own, budget / cpu_a_step)) // 25 * 25
    began, began_cpu = time.perf_counter(), time.process_time()
    settings = gan_recipe(recipe, {"steps": steps})
    made = work / f"{recipe}-{seed}"
    dataset, judge = work / "dataset", work / "judge"
    trained = train_gan.run(dataset, made, settings, seed, judge=judge, on_failure="skip")
    cpu, seconds = time.process_time() - began_cpu, time.perf_counter() - began
    per_class = max(300, SETS[name]["train_per_class"])
    drawn = synthesize.run(
        made, made.with_name(f"{made.name}-drawn"), per_class, seed, dataset, judge
    )
    quality = drawn.json("quality.json")
    stability = trained.json("stability.json")
    found = {
        "set": name,
        "recipe": recipe,
        "seed": seed,
        "steps": steps,
        "best_step": trained.json("summary.json").get("best_step", steps),
        "cpu_s": round(cpu),
        "seconds": round(seconds),
        "steps_s": round(1 / seconds_a_step, 2),
        "threads": os.environ.get("AUGSTUDY_THREADS", ""),
        "verdict": stability["verdict"],
        "reason": stability["reason"],
        "metrics": {key: quality["metrics"][key] for key in METRICS if key in quality["metrics"]},
        "hardware": common.hardware(),
        "software": artifacts.software(),
    }
    images = np.load(drawn.file("images.npy"), allow_pickle=False)
    first = images.reshape(-1, per_class, 28, 28)[:, 0]
    np.save(record_path(name, recipe, seed).with_suffix(".npy"), first, allow_pickle=False)
    record_path(name, recipe, seed).write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({key: found[key] for key in ("set", "recipe", "seed", "verdict", "cpu_s")}))


def pace(dataset: Path, recipe: str) -> tuple[float, float]:
    """CPU seconds and seconds a step, from a few steps after the first ones."""
    split = load_split(artifacts.read(dataset, "dataset"), "train")
    marks: list[tuple[float, float]] = []
    gan.train(
        gan_recipe(recipe, {"steps": PROBED, "evaluations": 1}),
        split.images,
        split.labels,
        classes=int(split.labels.max()) + 1,
        seed=0,
        progress=lambda *_: marks.append((time.process_time(), time.perf_counter())),
    )
    cpu, seconds = (second - first for first, second in zip(*marks[:2], strict=True))
    return cpu / 25, seconds / 25


def record_path(name: str, recipe: str, seed: int) -> Path:
    """Where a measurement is kept."""
    return CACHE / f"{name}-{recipe}-{seed}.json"


def draw(work: Path, name: str, recipes: list[str]) -> None:
    """A sheet: a real drawing of each class, and one by each recipe."""
    from augstudy.training.sheet import draw_sheet

    split = load_split(artifacts.read(work / "dataset", "dataset"), "val")
    firsts = np.searchsorted(split.labels, np.arange(int(split.labels.max()) + 1))
    rows = {"real": split.images[firsts]}
    for recipe in recipes:
        path = record_path(name, recipe, 0).with_suffix(".npy")
        if path.exists():
            rows[recipe] = np.load(path, allow_pickle=False)
    SHEETS.mkdir(parents=True, exist_ok=True)
    title = "A drawing of each class, not chosen"
    draw_sheet(SHEETS / f"generators-{name}.png", np.stack(list(rows.values())), list(rows), title)


def collect(arguments: argparse.Namespace) -> None:
    """All measurements of the sets and recipes in one file, with means over seeds."""
    found: dict[str, Any] = {}
    for name in SETS:
        order = [*LADDER, *(recipe for recipe in GANS if recipe not in LADDER)]
        paths = [path for recipe in order for path in sorted(CACHE.glob(f"{name}-{recipe}-?.json"))]
        for path in paths:
            record = json.loads(path.read_text())
            found.setdefault(name, {}).setdefault(record["recipe"], []).append(record)
    results = {
        name: {recipe: _mean(records) for recipe, records in recipes.items()}
        for name, recipes in found.items()
    }
    common.write("generators", {"command": _command(arguments), "sets": results})


def _mean(records: list[dict[str, Any]]) -> dict[str, Any]:
    metrics = {
        key: {
            "mean": statistics.mean(values),
            "low": min(values),
            "high": max(values),
        }
        for key in records[0]["metrics"]
        if (values := [record["metrics"][key]["value"] for record in records])
    }
    same = ("steps", "best_step", "verdict")
    numbers = {key: [record[key] for record in records] for key in same}
    times = {
        key: statistics.median(record[key] for record in records)
        for key in ("cpu_s", "seconds", "steps_s")
    }
    return {"seeds": len(records), "metrics": metrics, **numbers, **times}


def _command(arguments: argparse.Namespace) -> str:
    return (
        "python benchmarks/generators.py --drawings FOLDER "
        f"--seeds {arguments.seeds} --budget {arguments.budget:g}"
    )


if __name__ == "__main__":
    main()
