"""Training speed of ``report_best``: ours against plain Keras ``fit`` in float32, same recipe.

    python benchmarks/classifier.py --drawings FOLDER --seeds 5

The two take turns, seed by seed, for the full length of the recipe without early stopping, on the
11 mammals with 254 training drawings per class. Keras gets everything it is usually given: NumPy
arrays already scaled, and the network, optimizer and batch size of the recipe. Where the CPU has
bfloat16 units ours computes in ``mixed_bfloat16``; elsewhere both compute the same.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import common
import numpy as np

from augstudy.data.dataset import Split, load_split
from augstudy.models import classifiers
from augstudy.models.backend import keras, prepare, resolve_precision
from augstudy.models.recipes import classifier_recipe
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.data import MAMMALS, DataSettings
from augstudy.settings.spec import DRAWING
from augstudy.steps import ingest
from augstudy.training.classifier import one_hot, train
from augstudy.training.predicting import predict

CLASSES = 11


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawings", required=True, help="folder of <class>.npy files")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=50)
    arguments = parser.parse_args()
    settings = classifier_recipe(
        "report_best",
        {"epochs": arguments.epochs, "early_stopping": None, "reduce_on_plateau": None},
    )
    splits = read(arguments.drawings)
    runs: dict[str, list[dict[str, float]]] = {"keras_float32": [], "augstudy": []}
    for seed in range(arguments.seeds):
        for name, action in (("keras_float32", plain), ("augstudy", ours)):
            runs[name].append(measure(action, settings, splits, seed))
            print(name, seed, runs[name][-1], flush=True)
    common.write("classifier", report(runs, settings, len(splits["train"]) * arguments.epochs))


def read(folder: str) -> dict[str, Split]:
    """The three splits at level 254."""
    with tempfile.TemporaryDirectory() as scratch:
        source = f"file://{Path(folder).resolve()}"
        counts = {"train_per_class": 254, "val_per_class": 84, "test_per_class": 84}
        data = DataSettings(source=source, classes=MAMMALS, **counts)
        dataset = ingest.run(Path(scratch) / "dataset", data)
        return {name: load_split(dataset, name) for name in ("train", "val", "test")}


Action = Callable[[ClassifierSettings, dict[str, Split], int], keras.Model]


def measure(
    action: Action, settings: ClassifierSettings, splits: dict[str, Split], seed: int
) -> dict[str, float]:
    began = time.perf_counter()
    model = action(settings, splits, seed)
    seconds = time.perf_counter() - began
    test = splits["test"]
    accuracy = float((predict(model, test.images).argmax(1) == test.labels).mean())
    return {"seconds": round(seconds, 2), "test_accuracy": round(accuracy, 4)}


def ours(settings: ClassifierSettings, splits: dict[str, Split], seed: int) -> keras.Model:
    pairs = [(splits[name].images, splits[name].labels) for name in ("train", "val")]
    return train(settings, pairs[0], pairs[1], DRAWING, classes=CLASSES, seed=seed).model


def plain(settings: ClassifierSettings, splits: dict[str, Split], seed: int) -> keras.Model:
    keras.backend.clear_session()
    prepare(seed)
    keras.mixed_precision.set_global_policy("float32")
    network = classifiers.build(settings.architecture, CLASSES, DRAWING)
    model = keras.Sequential([layer for layer in network.layers if layer.name != "rescaling"])
    arrays = [
        (splits[name].images[..., None].astype(np.float32) / 255, splits[name].labels)
        for name in ("train", "val")
    ]
    (images, labels), (val_images, val_labels) = arrays
    model.compile(
        "adam", "categorical_crossentropy", metrics=["categorical_accuracy"], jit_compile=False
    )
    model.fit(
        images,
        one_hot(labels, CLASSES),
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        validation_data=(val_images, one_hot(val_labels, CLASSES)),
        callbacks=[
            keras.callbacks.EarlyStopping(patience=settings.epochs, restore_best_weights=True)
        ],
        verbose=0,
    )
    return network


def report(
    runs: dict[str, list[dict[str, float]]], settings: ClassifierSettings, images: int
) -> dict[str, object]:
    def column(name: str, key: str) -> list[float]:
        return [run[key] for run in runs[name]]

    seconds = {name: column(name, "seconds") for name in runs}
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    accuracy = {name: statistics.mean(column(name, "test_accuracy")) for name in runs}
    return {
        "command": "python benchmarks/classifier.py --drawings FOLDER "
        f"--seeds {len(runs['augstudy'])} --epochs {settings.epochs}",
        "precision": resolve_precision("auto"),
        "images_per_second": {n: round(images / s) for n, s in medians.items()},
        "seconds": {name: common.summary(values, 2) for name, values in seconds.items()},
        "speed_ratio_of_medians": round(medians["keras_float32"] / medians["augstudy"], 2),
        "mean_test_accuracy": {name: round(value, 4) for name, value in accuracy.items()},
        "accuracy_difference": round(accuracy["augstudy"] - accuracy["keras_float32"], 4),
        "runs": runs,
    }


if __name__ == "__main__":
    main()
