"""Time of a training step in float32 and in bfloat16: which of them ``auto`` should choose.

    python benchmarks/precision.py --repeats 5

Trains two classifiers and a GAN on images of noise, 32 x 32 pixels in colour, on one thread, in
turns of a few epochs. ``--write`` keeps the times and their ratio in
benchmarks/results/precision.json.
"""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ["AUGSTUDY_THREADS"] = "1"

import common
import numpy as np

from augstudy.core.machine import bf16_pays
from augstudy.models.backend import fix_threads, keras
from augstudy.models.gan_recipes import gan_recipe
from augstudy.models.recipes import classifier_recipe
from augstudy.settings.base import Precision
from augstudy.settings.generators import GanSettings
from augstudy.settings.spec import ImageSpec
from augstudy.training import gan
from augstudy.training.classifier import Trainer

CLASSES, IMAGES, STEPS = 10, 1024, 16
SPEC = ImageSpec(height=32, width=32, channels=3)
PRECISIONS: tuple[Precision, ...] = ("float32", "mixed_bfloat16")
Step = Callable[[], float]


def images() -> tuple[np.ndarray, np.ndarray]:
    """Noise: speed does not depend on what images show."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (IMAGES, *SPEC.shape), np.uint8)
    return pixels, (np.arange(IMAGES) % CLASSES).astype(np.int32)


def classifier(recipe: str, precision: Precision) -> Step:
    """Trains for a few epochs, and says the median milliseconds of a step."""
    settings = classifier_recipe(recipe, {"epochs": 4, "precision": precision})
    trainer = Trainer(settings, SPEC, classes=CLASSES, images=IMAGES)
    pixels, labels = images()

    def run() -> float:
        ends = [time.perf_counter()]
        trainer.train(
            (pixels, labels),
            (pixels[:10], labels[:10]),
            seed=0,
            progress=lambda *_: ends.append(time.perf_counter()),
        )
        per_step = 1000 / (IMAGES / settings.batch_size)
        return per_step * float(np.median(np.diff(ends)[1:]))

    return run


class Stopwatch(keras.callbacks.Callback):
    """Milliseconds of each step."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.found.append(1000 * (time.perf_counter() - self.began))

    found: list[float]


def generator(precision: Precision) -> Step:
    """The same of the GAN ``compact``."""
    settings = gan_recipe("compact", {"precision": precision})
    assert isinstance(settings, GanSettings)
    model = gan.build(settings, SPEC, CLASSES, seed=0)
    stream = gan.batches(*images(), settings.batch_size, 0)

    def run() -> float:
        watch = Stopwatch()
        watch.found = []
        model.fit(stream, steps_per_epoch=STEPS, verbose=0, shuffle=False, callbacks=[watch])
        return statistics.median(watch.found[2:])

    return run


def main() -> None:
    asked = common.arguments(__doc__).parse_args()
    fix_threads()
    makers: dict[str, Callable[[Precision], Step]] = {
        "modern": lambda precision: classifier("modern", precision),
        "photo": lambda precision: classifier("photo", precision),
        "compact": generator,
    }
    results: dict[str, Any] = {
        "command": f"python benchmarks/precision.py --repeats {asked.repeats}",
        "auto_is_bfloat16": bf16_pays(),
    }
    for name, maker in makers.items():
        steps = {precision: maker(precision) for precision in PRECISIONS}
        times: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
        for turn in range(asked.repeats + 1):
            for precision, step in steps.items():
                found = step()
                if turn:  # the first one traces
                    times[precision].append(found)
        ratios = [half / full for full, half in zip(*times.values(), strict=True)]
        results[name] = {
            **{f"{precision}_ms": common.summary(found, 1) for precision, found in times.items()},
            "bfloat16_over_float32": common.summary(ratios, 2),
        }
    common.tell("precision", results, keep=asked.write)


if __name__ == "__main__":
    main()
