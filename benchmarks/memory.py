"""Processor time of a training step with memory that is kept, and as TensorFlow does without.

    python benchmarks/memory.py --repeats 5

Trains ``photo`` on images of noise, 32 x 32 pixels in colour, on one thread, in fresh processes
that take turns. Start-up and tracing are left out: what counts is the difference between a long
training and a short one, per step. ``--write`` keeps the medians in benchmarks/results/memory.json.
"""

import argparse
import json
import os
import resource
import subprocess
import sys

import common

CLASSES, IMAGES, EPOCHS = 10, 512, (2, 8)


def usage() -> dict[str, float]:
    """Of this process so far."""
    found = resource.getrusage(resource.RUSAGE_SELF)
    return {"user_s": found.ru_utime, "system_s": found.ru_stime, "page_faults": found.ru_minflt}


def train(kept: bool) -> None:
    """Print what a step costs, and the last loss, as JSON."""
    from augstudy.models import memory

    if not kept:
        os.environ["TF_CPU_ALLOCATOR_USE_BFC"] = "false"
        memory.keep = lambda: None
    import numpy as np

    from augstudy.models.recipes import classifier_recipe
    from augstudy.settings.spec import ImageSpec
    from augstudy.training import classifier

    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
    labels = (np.arange(IMAGES) % CLASSES).astype(np.int32)
    spec, costs = ImageSpec(height=32, width=32, channels=3), []
    for epochs in EPOCHS:
        settings = classifier_recipe("photo", {"epochs": epochs})
        before = usage()
        made = classifier.train(
            settings, (images, labels), (images[:64], labels[:64]), spec, classes=CLASSES, seed=0
        )
        costs.append({name: value - before[name] for name, value in usage().items()})
    steps = (EPOCHS[1] - EPOCHS[0]) * IMAGES // settings.batch_size
    found = {name: (costs[1][name] - costs[0][name]) / steps for name in costs[0]}
    found["loss"] = float(made.history["loss"].iloc[-1])
    found["peak_mib"] = common.peak_mib()
    print(json.dumps(found))


def main() -> None:
    parser = common.arguments(__doc__)
    parser.add_argument("--child", choices=("kept", "given_back"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        train(asked.child == "kept")
        return
    runs: dict[str, list[dict[str, float]]] = {"given_back": [], "kept": []}
    for _ in range(asked.repeats):
        for kind, found in runs.items():
            command = [sys.executable, __file__, "--child", kind]
            environment = {**os.environ, "AUGSTUDY_THREADS": "1"}
            done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
            found.append(json.loads(done.stdout))
    losses = {item["loss"] for found in runs.values() for item in found}
    results: dict[str, object] = {
        kind: {name: common.summary([item[name] for item in found]) for name in found[0]}
        for kind, found in runs.items()
    }
    results["equal_losses"] = len(losses) == 1
    results["processor_time_ratio"] = common.summary(
        [
            (kept["user_s"] + kept["system_s"]) / (given["user_s"] + given["system_s"])
            for kept, given in zip(runs["kept"], runs["given_back"], strict=True)
        ]
    )
    common.tell("memory", results, keep=asked.write)


if __name__ == "__main__":
    main()
