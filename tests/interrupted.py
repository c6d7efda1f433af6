"""Runs one training step; as a script, it sends itself a signal on the way.

    python interrupted.py cnn|gan|diffusion DATASET OUT SIGNAL CALLS

A judge must be beside the dataset. The signal comes at the given call of the progress display: an
epoch of the classifier (each of its two seeds has 4), 15 steps of the GAN and 13 of the diffusion
model.
"""

import os
import signal
import sys
from pathlib import Path

import gan_toy

from augstudy.core import telemetry
from augstudy.core.artifacts import Artifact
from augstudy.settings.arms import Arm
from augstudy.settings.classifier import ClassifierSettings
from augstudy.steps import train_cnn, train_gan
from augstudy.training import checkpoints

CNN = ClassifierSettings.model_validate(
    {
        "architecture": "report_best",
        "epochs": 4,
        "batch_size": 12,
        "augmentation": {"rotation": 10, "shift": 0.1},
        "early_stopping": {"patience": 3},
        "reduce_on_plateau": {"patience": 1},
    }
)
GENERATORS = {
    "gan": gan_toy.SETTINGS.model_copy(update={"steps": 45}),
    "diffusion": gan_toy.DIFFUSION.model_copy(
        update={"steps": 39, "batch_size": 8, "sampling_steps": 2, "flip": True}
    ),
}


def train(what: str, dataset: Path, out: Path) -> Artifact:
    """The step that is interrupted."""
    if what == "cnn":
        return train_cnn.run(dataset, out, Arm(arm="real"), [3, 4], CNN)
    judge = dataset.with_name("judge")
    return train_gan.run(dataset, out, GENERATORS[what], seed=3, judge=judge)


def main(what: str, dataset: str, out: str, number: str, calls: str) -> None:
    left = int(calls)

    def progress(self: telemetry.Stage, *_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), getattr(signal, number))

    telemetry.Stage.progress = progress
    if number == "SIGKILL":  # leaves no time to write a checkpoint
        checkpoints.EVERY_S = checkpoints.EVERY_S_STORED = 0.0
    train(what, Path(dataset), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
