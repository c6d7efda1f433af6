"""How near trainings come to what this machine can compute, and what keeps them from it.

    python benchmarks/ceiling.py --repeats 5

Measures, on one thread, how fast large matrices are multiplied and 3x3 convolutions computed in
float32 and in bfloat16, then trains classifiers, a judge and a GAN on images of noise. A training's
operations are those of the convolutions and matrix products in the graph of its step; its share is
their rate over that of the matrices, in the precision that it computes in. TensorFlow's own
profiler says which kernels the time of a step goes to. Classifiers also train in turns with batch
normalisation as Keras writes it out, and with the gradients of filters as oneDNN computes them.
Times are those of the processor, which other guests of a host do not lengthen. ``--write`` keeps
the results in benchmarks/results/ceiling.json.
"""

import itertools
import math
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ["AUGSTUDY_THREADS"] = "1"

import common
import numpy as np

from augstudy.models.backend import fix_threads, keras, resolve_precision
from augstudy.models.gan_recipes import gan_recipe
from augstudy.models.recipes import classifier_recipe
from augstudy.settings.base import Precision
from augstudy.settings.generators import GanSettings
from augstudy.settings.judging import JudgeSettings
from augstudy.settings.spec import DRAWING, ImageSpec
from augstudy.training import classifier, gan, judge

CLASSES, IMAGES, STEPS = 10, 640, 20
PHOTO = ImageSpec(height=32, width=32, channels=3)
CLASSIFIERS = {"modern": DRAWING, "modern_small": DRAWING, "photo": PHOTO}
PRECISIONS: dict[str, Precision] = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

# A kernel belongs to the first kind that one of its words is found for, in its type or its path.
# What a GAN does to the images of its discriminator has no name of its own, and is among the rest.
KINDS: dict[str, tuple[str, ...]] = {
    "convolutions and products": ("Conv2D", "MatMul"),
    "normalisation": ("normalization", "_norm"),
    "augmentation": ("random_affine", "random_colours"),
    "optimizer": ("adam", "sgd"),
}
# What we compute another way, and the method of a layer that does.
TURNS = {"fused_over_written_out": "call", "gradients_over_onednn": "convolution_op"}
OTHER, BETWEEN = "activations, pooling and the rest", "between kernels"


@dataclass(frozen=True)
class Training:
    """A compiled model with endless batches of one size."""

    model: keras.Model
    batches: Iterator[tuple[Any, ...]]
    precision: Precision

    def fit(self, steps: int = STEPS) -> None:
        """Train for some steps."""
        self.model.fit(self.batches, steps_per_epoch=steps, shuffle=False, verbose=0)


def main() -> None:
    """Measure, and print or write what was found."""
    asked = common.arguments(__doc__).parse_args()
    fix_threads()
    peaks = {
        name: {
            "matrices": common.summary(rates(*product(name), asked.repeats), 1),
            "convolutions": common.summary(rates(*convolution(name), asked.repeats), 1),
        }
        for name in PRECISIONS
    }
    makers: dict[str, Callable[[], Training]] = {
        **{name: partial(classifier_training, name, spec) for name, spec in CLASSIFIERS.items()},
        "judge": judge_training,
        "compact": gan_training,
    }
    results: dict[str, Any] = {
        "command": f"python benchmarks/ceiling.py --repeats {asked.repeats} --write",
        "gflops_a_second": peaks,
        "trainings": {name: measure(make(), peaks, asked.repeats) for name, make in makers.items()},
        **{
            key: {
                name: common.summary(turns(name, spec, asked.repeats, ours), 2)
                for name, spec in CLASSIFIERS.items()
            }
            for key, ours in TURNS.items()
        },
    }
    common.tell("ceiling", results, keep=asked.write)


def product(kind: str, size: int = 1024) -> tuple[Callable[[], Any], float]:
    """Multiplies two square matrices, and how many operations that takes."""
    left = keras.ops.cast(keras.random.uniform((size, size), seed=0), kind)
    return lambda: keras.ops.matmul(left, left).numpy(), 2.0 * size**3


def convolution(kind: str, size: int = 32, filters: int = 128) -> tuple[Callable[[], Any], float]:
    """Convolves 32 images of `size` pixels a side, and how many operations that takes."""
    images = keras.ops.cast(keras.random.uniform((32, size, size, filters), seed=0), kind)
    kernel = keras.ops.cast(keras.random.uniform((3, 3, filters, filters), seed=1), kind)
    operations = 2.0 * 32 * size**2 * 9 * filters**2
    return lambda: keras.ops.conv(images, kernel, padding="same").numpy(), operations


def rates(action: Callable[[], Any], operations: float, repeats: int) -> list[float]:
    """Billions of operations per second, once for each of the repeats."""
    found = []
    for turn in range(repeats + 1):
        began = time.process_time()
        action()
        if turn:
            found.append(operations / (time.process_time() - began) / 1e9)
    return found


def noise(spec: ImageSpec) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels: speed does not depend on what images show."""
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, *spec.shape), np.uint8)
    return pixels, (np.arange(IMAGES) % CLASSES).astype(np.int32)


def classifier_training(recipe: str, spec: ImageSpec, settings: Any = None) -> Training:
    """A classifier in training, with its augmentation."""
    settings = settings or classifier_recipe(recipe, {"epochs": 4})
    images, labels = noise(spec)
    trainer = classifier.Trainer(settings, spec, classes=CLASSES, images=IMAGES)
    targets = classifier.one_hot(labels, CLASSES)
    feed = classifier.batches(lambda _: images, targets, settings.batch_size, 0)
    return Training(trainer._build(0), feed, settings.precision)


def judge_training() -> Training:
    """The judge of drawings, which computes in float32."""
    return classifier_training("", DRAWING, judge.recipe(JudgeSettings(), 40, IMAGES))


def gan_training() -> Training:
    """The GAN ``compact`` on drawings."""
    settings = gan_recipe("compact")
    assert isinstance(settings, GanSettings)
    model = gan.build(settings, DRAWING, CLASSES, seed=0)
    return Training(model, gan.batches(*noise(DRAWING), settings.batch_size, 0), settings.precision)


def measure(training: Training, peaks: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Operations, time and share of the machine's rate of one training."""
    computed = resolve_precision(training.precision)
    peak = next(name for name, precision in PRECISIONS.items() if precision == computed)
    training.fit()
    times = []
    for _ in range(repeats):
        began = time.process_time()
        training.fit()
        times.append(1000 * (time.process_time() - began) / STEPS)
    step, kernels = profiled(training)
    kernels[BETWEEN] = max(0.0, step - sum(kernels.values()))
    operations = counted(training) / 1e9
    rate = 1000 * operations / statistics.median(times)
    return {
        "precision": peak,
        "gflop_a_step": round(operations, 3),
        "ms_a_step": common.summary(times, 1),
        "gflops_a_second": round(rate, 1),
        "share_of_matrices": round(rate / peaks[peak]["matrices"]["median"], 3),
        "share_of_time": {name: round(took / step, 3) for name, took in kernels.items()},
    }


def turns(recipe: str, spec: ImageSpec, repeats: int, ours: str) -> list[float]:
    """Processor time of a step over that of one whose layers are without a method of `ours`."""
    quick, plain = (classifier_training(recipe, spec) for _ in range(2))
    for layer in plain.model._flatten_layers():
        vars(layer).pop(ours, None)
    found = []
    for turn in range(repeats + 1):
        took = []
        for training in (quick, plain):
            began = time.process_time()
            training.fit()
            took.append(time.process_time() - began)
        if turn:  # the first one traces
            found.append(took[0] / took[1])
    return found


def profiled(training: Training) -> tuple[float, dict[str, float]]:
    """Milliseconds of a step under TensorFlow's profiler, and of the kernels of each kind."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        began = time.process_time()
        training.fit()
        step = 1000 * (time.process_time() - began) / STEPS
        tf.profiler.experimental.stop()
        space = XSpace.FromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    found: Counter[str] = Counter(dict.fromkeys((*KINDS, OTHER), 0.0))
    for plane in space.planes:
        for event in itertools.chain.from_iterable(line.events for line in plane.lines):
            path, _, operation = plane.event_metadata[event.metadata_id].name.rpartition(":")
            if "StatefulPartitionedCall/" in path:
                found[kind_of(path, operation)] += event.duration_ps / 1e9 / STEPS
    return step, dict(found)


def kind_of(path: str, operation: str) -> str:
    """What a kernel is for, by its type and its path in the graph."""
    fitting = (
        kind
        for kind, words in KINDS.items()
        if any(word in operation or word in path.lower() for word in words)
    )
    return next(fitting, OTHER)


def counted(training: Training) -> float:
    """Operations (a multiplication and an addition are two) of one step."""
    import tensorflow as tf

    batch = tf.nest.map_structure(
        lambda part: tf.TensorSpec(part.shape, part.dtype), next(training.batches)
    )
    step = tf.function(lambda *parts: training.model.train_step(parts))
    graph = step.get_concrete_function(*batch).graph
    inner = (graph._get_function(name).graph for name in graph._functions)
    parts = itertools.chain([graph], inner)
    return sum(operations_of(item) for part in parts for item in part.get_operations())


def operations_of(item: Any) -> float:
    """Operations of a node of a graph, if it is a convolution or a product of matrices."""
    if item.type == "MatMul":
        made, factors = (
            item.outputs[0].shape,
            [item.inputs[0].shape[not item.get_attr("transpose_a")]],
        )
    elif item.type == "Conv2D":
        made, factors = item.outputs[0].shape, item.inputs[1].shape[:3]
    elif item.type == "Conv2DBackpropInput":
        made, factors = item.inputs[2].shape, item.inputs[1].shape[:3]
    elif item.type == "Conv2DBackpropFilter":
        made, factors = item.inputs[2].shape, item.outputs[0].shape[:3]
    else:
        return 0.0
    return 2.0 * math.prod(int(size) for size in (*made, *factors))


if __name__ == "__main__":
    main()
