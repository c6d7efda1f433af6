"""Accuracy of classifier recipes on real drawings alone, by the stages of the study.

    python benchmarks/accuracy.py --drawings FOLDER --recipes modern report_best --seeds 5

The 11 mammals with 254 training drawings per class, or ``--level`` of them; arm ``real``. Recipes
are chosen by their accuracy on the validation drawings; ``--changes`` tries settings, as in
``--changes '{"epochs": 80}'``. On one thread, like each of the two cells that a study trains side
by side on two cores. ``--write`` keeps the results.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["AUGSTUDY_THREADS"] = "1"

import common

from augstudy.models.recipes import classifier_recipe
from augstudy.settings.arms import Arm
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.data import MAMMALS, DataSettings
from augstudy.steps import evaluate, ingest, train_cnn

PER_CLASS = 254  # training drawings, of which a level takes as many or fewer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawings", required=True, help="folder of <class>.npy files")
    parser.add_argument("--recipes", nargs="+", default=["modern", "report_best"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--level", type=int, default=PER_CLASS, help="training drawings per class")
    parser.add_argument("--changes", type=json.loads, default={}, help="settings, as JSON")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    source = f"file://{Path(arguments.drawings).resolve()}"
    counts = {"train_per_class": PER_CLASS, "val_per_class": 84, "test_per_class": 84}
    settings = DataSettings(source=source, classes=MAMMALS, level=arguments.level, **counts)
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        dataset = Path(scratch) / "dataset"
        ingest.run(dataset, settings)
        for name in arguments.recipes:
            recipe = classifier_recipe(name, arguments.changes)
            results[name] = measure(Path(scratch) / name, dataset, recipe, arguments.seeds)
            print(name, results[name], flush=True)
    command = (
        "python benchmarks/accuracy.py --drawings FOLDER "
        f"--recipes {' '.join(arguments.recipes)} --seeds {arguments.seeds}"
    )
    if arguments.level != PER_CLASS:
        command += f" --level {arguments.level}"
    if arguments.changes:
        command += f" --changes '{json.dumps(arguments.changes)}'"
    common.tell("accuracy", {"command": command, "recipes": results}, keep=arguments.write)


def measure(folder: Path, dataset: Path, recipe: ClassifierSettings, seeds: int) -> dict[str, Any]:
    began, computed = time.perf_counter(), time.process_time()
    classifier = train_cnn.run(
        dataset, folder / "classifier", Arm(arm="real"), range(seeds), recipe
    )
    seconds, computed = time.perf_counter() - began, time.process_time() - computed
    evaluation = evaluate.run(dataset, folder / "classifier", folder / "evaluation")
    accuracy = evaluation.json("metrics.json")["metrics"]["accuracy"]
    training = classifier.json("training.json")
    return {
        "test_accuracy": {key: accuracy[key] for key in ("value", "low", "high", "by_seed")},
        "val_accuracy": [round(record["val_accuracy"], 4) for record in training],
        "train_accuracy": [round(record["train_accuracy"], 4) for record in training],
        "epochs": [record["epochs"] for record in training],
        "parameters": training[0]["parameters"],
        "seconds_a_seed": round(seconds / seeds, 1),
        "processor_seconds_a_seed": round(computed / seeds, 1),
    }


if __name__ == "__main__":
    main()
