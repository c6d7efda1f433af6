"""The ladder of generators, rung by rung, by the stages of the study.

    python benchmarks/generators.py --drawings FOLDER [--recipes report adc] [--sets mammals ten]
                                    [--seeds 3] [--budget 300]

Each recipe trains for as many steps as fit the budget, in CPU seconds, but for no more than the
recipe's own number of them; further seeds train for as many as the first, on whichever machine.
The judge measures what it draws. A measurement that is in ``results/generators/`` already is not
repeated, so that the command can be stopped and started again, and several of them can share the
recipes; it writes ``results/generators.json`` and a sheet of samples for each set of classes.
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
from ladder import ORDER, register

from augstudy.core import artifacts
from augstudy.core.fingerprint import software
from augstudy.core.machine import hardware
from augstudy.data.dataset import load_split
from augstudy.explain.sheet import draw_sheet
from augstudy.models.gan_recipes import gan_recipe
from augstudy.pages.stability import reason
from augstudy.settings.data import MAMMALS, DataSettings
from augstudy.settings.judging import JudgeSettings
from augstudy.settings.spec import DRAWING
from augstudy.steps import ingest, synthesize, train_gan, train_judge
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
    parser.add_argument("--recipes", nargs="+", default=ORDER)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=300, help="CPU seconds a training")
    parser.add_argument("--work", default=str(Path(tempfile.gettempdir()) / "generators"))
    parser.add_argument("--one", nargs=3, metavar=("SET", "RECIPE", "SEED"), help="for itself")
    arguments = parser.parse_args()
    register()
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
                if not record_path(name, recipe, seed, arguments.budget).exists():
                    # A process of its own: memory and threads are those of one training.
                    command = [sys.executable, *sys.argv, "--one", name, recipe, str(seed)]
                    subprocess.run(command, check=True)
        draw(work / name, name, arguments.budget)
    collect()


def prepare(work: Path, name: str, drawings: str) -> None:
    """Dataset and judge of a set of classes."""
    source = f"file://{Path(drawings).resolve()}"
    if (work / "judge").exists():
        return
    ingest.run(work / "dataset", DataSettings(source=source, **SETS[name]))
    train_judge.run(work / "dataset", work / "judge", JudgeSettings(cas_steps=1000))


def measure(work: Path, name: str, recipe: str, seed: int, budget: float) -> None:
    """Train one generator, let it draw, and write down what the judge finds."""
    steps = steps_within(budget, work, name, recipe)
    began, began_cpu = time.perf_counter(), time.process_time()
    settings = gan_recipe(recipe, {"steps": steps})
    made = work / f"{recipe}-{seed}-{budget:g}"
    dataset, judge = work / "dataset", work / "judge"
    trained = train_gan.run(dataset, made, settings, seed, judge=judge, on_failure="skip")
    cpu, seconds = time.process_time() - began_cpu, time.perf_counter() - began
    peak_mib = common.peak_mib()
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
        "budget": budget,
        "steps": steps,
        "best_step": trained.json("summary.json").get("best_step", steps),
        "cpu_s": round(cpu),
        "seconds": round(seconds),
        "peak_mib": round(peak_mib),
        "threads": os.environ.get("AUGSTUDY_THREADS", ""),
        "verdict": stability["verdict"],
        "reason": reason(stability),
        "metrics": {key: quality["metrics"][key] for key in METRICS if key in quality["metrics"]},
        "hardware": hardware(),
        "software": software(),
    }
    images = np.load(drawn.file("images.npy"), allow_pickle=False)
    first = images.reshape(-1, per_class, 28, 28)[:, 0]
    record = record_path(name, recipe, seed, budget)
    np.save(record.with_suffix(".npy"), first, allow_pickle=False)
    record.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({key: found[key] for key in ("set", "recipe", "seed", "verdict", "cpu_s")}))


def steps_within(budget: float, work: Path, name: str, recipe: str) -> int:
    """The steps of the seeds that were measured before, if any; else what fits the budget."""
    for path in sorted(CACHE.glob(record_path(name, recipe, "?", budget).name)):
        return int(json.loads(path.read_text())["steps"])
    return int(min(gan_recipe(recipe).steps, budget / pace(work, recipe))) // 25 * 25


def pace(work: Path, recipe: str) -> float:
    """CPU seconds a step, from a few steps after the first ones; measured once for each set."""
    kept = work / f"pace-{recipe}.json"
    if not kept.exists():
        kept.write_text(json.dumps(_paced(work / "dataset", recipe)))
    return float(json.loads(kept.read_text()))


def _paced(dataset: Path, recipe: str) -> float:
    split = load_split(artifacts.read(dataset, "dataset"), "train")
    marks: list[float] = []
    gan.train(
        gan_recipe(recipe, {"steps": PROBED, "evaluations": 1}),
        split.images,
        split.labels,
        DRAWING,
        classes=int(split.labels.max()) + 1,
        seed=0,
        progress=lambda *_: marks.append(time.process_time()),
    )
    return (marks[1] - marks[0]) / 25


def record_path(name: str, recipe: str, seed: int | str, budget: float) -> Path:
    """Where a measurement is kept."""
    return CACHE / f"{name}-{budget:g}-{recipe}-{seed}.json"


def draw(work: Path, name: str, budget: float) -> None:
    """A sheet: a real drawing of each class, and one by each recipe."""
    split = load_split(artifacts.read(work / "dataset", "dataset"), "val")
    firsts = np.searchsorted(split.labels, np.arange(int(split.labels.max()) + 1))
    rows: dict[str, Any] = {"real": split.images[firsts]}
    for recipe in ORDER:
        path = record_path(name, recipe, 0, budget).with_suffix(".npy")
        if path.exists():
            rows[recipe] = np.load(path, allow_pickle=False)
    SHEETS.mkdir(parents=True, exist_ok=True)
    title = "A drawing of each class, not chosen"
    draw_sheet(SHEETS / f"generators-{name}.png", list(rows.values()), list(rows), title)


def collect() -> None:
    """All measurements in one file, with means over seeds."""
    tables: dict[tuple[str, float], dict[str, list[dict[str, Any]]]] = {}
    for recipe in ORDER:
        for path in sorted(CACHE.glob(f"*-{recipe}-?.json")):
            record = json.loads(path.read_text())
            table = tables.setdefault((record["set"], record["budget"]), {})
            table.setdefault(recipe, []).append(record)
    results = [
        {
            "set": name,
            "budget": budget,
            "command": _command(name, budget, recipes),
            "recipes": {recipe: _mean(records) for recipe, records in recipes.items()},
        }
        for (name, budget), recipes in sorted(tables.items())
    ]
    common.write("generators", {"tables": results})


def _mean(records: list[dict[str, Any]]) -> dict[str, Any]:
    metrics = {
        key: {
            "mean": statistics.mean(values),
            "low": min(values),
            "high": max(values),
            "real": records[0]["metrics"][key]["real"],
        }
        for key in records[0]["metrics"]
        if (values := [record["metrics"][key]["value"] for record in records])
    }
    same = ("steps", "best_step", "verdict")
    numbers = {key: [record[key] for record in records] for key in same}
    times = {
        key: statistics.median(record[key] for record in records) for key in ("cpu_s", "seconds")
    }
    times["steps_cpu_s"] = statistics.median(r["steps"] / r["cpu_s"] for r in records)
    # The least: the process that measured the pace trained twice.
    peak = min((record["peak_mib"] for record in records if "peak_mib" in record), default=None)
    return {"seeds": len(records), "metrics": metrics, **numbers, **times, "peak_mib": peak}


def _command(name: str, budget: float, recipes: dict[str, list[dict[str, Any]]]) -> str:
    seeds = max(len(records) for records in recipes.values())
    which = "" if list(recipes) == ORDER else f"--recipes {' '.join(recipes)} "
    return (
        "AUGSTUDY_THREADS=1 python benchmarks/generators.py --drawings FOLDER "
        f"--sets {name} {which}--seeds {seeds} --budget {budget:g}"
    )


if __name__ == "__main__":
    main()
