"""Test accuracy of classifier recipes on real drawings alone, by the stages of the study.

    python benchmarks/accuracy.py --drawings FOLDER --recipes modern report_best --seeds 3

The 11 mammals with 254 training drawings per class; arm ``real``.
"""

import argparse
import tempfile
import time
from pathlib import Path

import common

from augstudy.models.recipes import classifier_recipe
from augstudy.settings.arms import Arm
from augstudy.settings.data import MAMMALS, DataSettings
from augstudy.steps import evaluate, ingest, train_cnn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawings", required=True, help="folder of <class>.npy files")
    parser.add_argument("--recipes", nargs="+", default=["modern", "report_best"])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    source = f"file://{Path(arguments.drawings).resolve()}"
    counts = {"train_per_class": 254, "val_per_class": 84, "test_per_class": 84}
    settings = DataSettings(source=source, classes=MAMMALS, **counts)
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        dataset = Path(scratch) / "dataset"
        ingest.run(dataset, settings)
        for name in arguments.recipes:
            results[name] = measure(Path(scratch) / name, dataset, name, arguments.seeds)
            print(name, results[name], flush=True)
    command = (
        "python benchmarks/accuracy.py --drawings FOLDER "
        f"--recipes {' '.join(arguments.recipes)} --seeds {arguments.seeds}"
    )
    common.write("accuracy", {"command": command, "recipes": results})


def measure(folder: Path, dataset: Path, recipe: str, seeds: int) -> dict[str, object]:
    began = time.perf_counter()
    classifier = train_cnn.run(
        dataset, folder / "classifier", Arm(arm="real"), range(seeds), classifier_recipe(recipe)
    )
    seconds = time.perf_counter() - began
    evaluation = evaluate.run(dataset, folder / "classifier", folder / "evaluation")
    accuracy = evaluation.json("metrics.json")["metrics"]["accuracy"]
    training = classifier.json("training.json")
    return {
        "test_accuracy": {key: accuracy[key] for key in ("value", "low", "high", "by_seed")},
        "train_accuracy": [round(record["train_accuracy"], 4) for record in training],
        "epochs": [record["epochs"] for record in training],
        "parameters": training[0]["parameters"],
        "seconds_a_seed": round(seconds / seeds, 1),
    }


if __name__ == "__main__":
    main()
