"""Speed and memory of GAN training: two recipes, each in the report's own loop and in ours.

Run it alone on the machine: ``python benchmarks/gan.py``. Under five minutes on two cores.
Writes ``benchmarks/results/gan.json``.
"""

import gc
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import peak_mib, summary, write

from augstudy.models import discriminators, generators
from augstudy.models.backend import keras, prepare, resolve_precision
from augstudy.models.gan_recipes import gan_recipe
from augstudy.settings.generators import GanSettings
from augstudy.settings.spec import DRAWING
from augstudy.training import gan

CLASSES, PER_CLASS = 11, 60
REPEATS = 3
STEPS = {"compact": 60, "report": 3}  # the smaller first, since a peak of memory stays


class NaiveLoop:
    """The student report's training loop in today's Keras: ``predict`` and three batches."""

    def __init__(self, settings: GanSettings) -> None:
        keras.mixed_precision.set_global_policy("float32")
        self.latent_dim = settings.latent_dim
        self.generator = generators.build(settings.architecture, CLASSES, DRAWING, self.latent_dim)
        self.discriminator = discriminators.build(
            settings.architecture, CLASSES, DRAWING, spectral=settings.spectral_norm
        )
        losses = [
            keras.losses.BinaryCrossentropy(from_logits=True),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        ]
        compiled = {"loss": losses, "jit_compile": False}
        self.discriminator.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), **compiled)
        noise, labels = keras.Input((self.latent_dim,)), keras.Input((), dtype="int32")
        outputs = self.discriminator(255.0 * self.generator([noise, labels]))
        self.combined = keras.Model([noise, labels], outputs)
        self.combined.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), **compiled)
        self.random = np.random.default_rng(0)

    def run(self, stream: Any, steps: int) -> list[float]:
        """Train for `steps` batches; seconds of each."""
        seconds = []
        for _ in range(steps):
            began = time.perf_counter()
            self._step(next(stream)[0])
            seconds.append(time.perf_counter() - began)
        return seconds

    def _step(self, batch: Any) -> None:
        count = len(batch["labels"])
        noise = self.random.standard_normal((count, self.latent_dim)).astype("float32")
        labels = self.random.integers(0, CLASSES, count).astype("int32")
        fakes = self.generator.predict([noise, labels], verbose=0)
        real = batch["images"].astype("float32")
        ones, zeros = np.ones((count, 1)), np.zeros((count, 1))
        self.discriminator.train_on_batch(real, [ones, batch["labels"]])
        self.discriminator.train_on_batch(255.0 * fakes, [zeros, labels])
        self.combined.train_on_batch([noise, labels], [ones, labels])


class Stopwatch(keras.callbacks.Callback):
    """Seconds of each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._began = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seconds.append(time.perf_counter() - self._began)


class OurLoop:
    """Our training of a recipe, through ``fit``."""

    def __init__(self, settings: GanSettings) -> None:
        self.model = gan.build(settings, DRAWING, CLASSES, seed=0)

    def run(self, stream: Any, steps: int) -> list[float]:
        """Train for `steps` batches; seconds of each."""
        watch = Stopwatch()
        self.model.fit(stream, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[watch])
        return watch.seconds


def measure(loops: dict[str, Any], stream: Any, steps: int) -> dict[str, list[float]]:
    """Steps a second of each loop, in turns, after one unmeasured turn each.

    Each turn's first step does not count: it starts ``fit`` again, and the other loop has filled
    the caches of kernels.
    """
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for turn in range(REPEATS + 1):
        for name, loop in loops.items():
            seconds = loop.run(stream, steps + 1)[1:]
            rate = round(1 / statistics.mean(seconds), 3)
            if turn:
                rates[name].append(rate)
            print(f"{name}: {rate:.2f} steps/s", flush=True)
    return rates


def drawings() -> tuple[np.ndarray, np.ndarray]:
    """Stand-ins for drawings: speed does not depend on what they show."""
    count = CLASSES * PER_CLASS
    random = np.random.default_rng(0)
    images = (random.random((count, 28, 28)) < 0.2).astype(np.uint8) * 255
    return images, np.repeat(np.arange(CLASSES, dtype=np.int32), PER_CLASS)


def machine() -> dict[str, Any]:
    """What decides the speed beside the processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    return {
        "bf16": sorted(set(flags) & {"amx_bf16", "avx512_bf16"}),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    """Measure, print and write ``results/gan.json``."""
    prepare(0)
    results: dict[str, Any] = {**machine()}
    images, labels = drawings()
    for name, steps in STEPS.items():
        settings = settings_of(name)
        stream = gan.batches(images, labels, settings.batch_size, 0)
        ours = OurLoop(settings)
        ours.run(stream, steps)
        peak = peak_mib()  # before the other loop takes some
        rates = measure({"naive": NaiveLoop(settings), "ours": ours}, stream, steps)
        results[name] = {
            **{f"{loop}_steps_s": summary(values) for loop, values in rates.items()},
            "speedup": round(
                statistics.median(rates["ours"]) / statistics.median(rates["naive"]), 2
            ),
            "batch_size": settings.batch_size,
            "precision": resolve_precision(settings.precision),
            "peak_mib": peak,
        }
        del ours
        gc.collect()
    write("gan", results)


def settings_of(name: str) -> GanSettings:
    """The settings of a recipe for a GAN."""
    settings = gan_recipe(name)
    assert isinstance(settings, GanSettings)
    return settings


if __name__ == "__main__":
    main()
