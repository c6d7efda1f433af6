"""Train the GAN, or the diffusion model, on the training images of the level."""

import logging
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import TrainingError
from augstudy.core.files import write_arrays, write_json
from augstudy.core.rng import check_seed
from augstudy.data.dataset import Split, load_classes, load_spec, load_split, save_spec
from augstudy.models.backend import resolve_precision
from augstudy.pages.stability import meaning, reason
from augstudy.settings.generators import GeneratorSettings, OnFailure
from augstudy.training import gan
from augstudy.training.checkpoints import Keeper
from augstudy.training.judge import load as load_judge
from augstudy.training.saving import save_model
from augstudy.training.scoring import scorer
from augstudy.training.stability import Alarm

logger = logging.getLogger("augstudy")

KIND = "gan"


def run(
    dataset: Path,
    out: Path,
    settings: GeneratorSettings,
    seed: int = 0,
    judge: Path | None = None,
    on_failure: OnFailure = "stop",
    name: str = "",
) -> Artifact:
    """Train a generator on the training split and publish it as an artifact of kind ``gan``.

    Ended early (by a signal, a lost machine), the next call goes on from the last checkpoint and
    publishes what it would have published then. With a `judge` the generator that is kept is that
    of the step where it drew best (see :func:`augstudy.training.scoring.scorer`), not the last.

    A GAN that failed is published only if `on_failure` is ``skip``; ``stability.json`` says why,
    and nothing should be drawn with it. The step is shown with the `name` of the set.

    Raises:
        InputError: no such architecture, or no such seed.
        TrainingError: the training failed.
    """
    check_seed(seed)
    with telemetry.stage("train_gan", name) as stage:
        source = artifacts.read(dataset, "dataset")
        inputs = {"dataset": source}
        if judge is not None:
            inputs["judge"] = artifacts.read(judge, "judge")
        config = {
            "settings": settings.model_dump(mode="json"),
            "seed": seed,
            "precision": resolve_precision(settings.precision),
        }
        if done := artifacts.find(out, KIND, inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            _stop_if_failed(done.json("stability.json"), on_failure)
            return done
        split, classes = load_split(source, "train"), load_classes(source)
        validation = load_split(source, "val")
        seer = load_judge(inputs["judge"]) if judge is not None else None
        keeper = Keeper.beside(out, KIND, inputs, config)
        with artifacts.publish(out, KIND, inputs=inputs, config=config, seed=seed) as folder:
            trained = gan.train(
                settings,
                split.images,
                split.labels,
                load_spec(source),
                classes=len(classes),
                seed=seed,
                held_out=(validation.images, validation.labels),
                scorer=scorer(seer, validation) if seer else None,
                progress=stage.progress,
                warn=warn,
                keeper=keeper,
            )
            _stop_if_failed(trained.stability.as_dict(), on_failure)
            _write(folder, trained, split, classes, settings)
            save_spec(folder, load_spec(source))
        keeper.clear()
    return artifacts.read(out, KIND)


def warn(step: int, alarm: Alarm) -> None:
    """Say in the log what an alarm means."""
    logger.warning("The generator at step %d: %s.", step, meaning(vars(alarm)))


def _stop_if_failed(stability: Mapping[str, Any], on_failure: OnFailure) -> None:
    if stability["verdict"] != "stable":
        logger.warning("The GAN is %s: %s", stability["verdict"], reason(stability))
    if stability["verdict"] == "failed" and on_failure == "stop":
        raise TrainingError(
            f"The training of the GAN failed after {stability['evidence']['steps']} steps. "
            f"{reason(stability)}"
        )


def _write(
    folder: Path,
    trained: gan.Trained,
    split: Split,
    classes: list[str],
    settings: GeneratorSettings,
) -> None:
    networks = {"generator": trained.generator}
    if trained.discriminator is not None:
        networks["discriminator"] = trained.discriminator
    for name, network in networks.items():
        save_model(network, folder / f"{name}.keras")
    history = pd.DataFrame(trained.history, columns=gan.history_columns(trained.history))
    history.to_csv(folder / "history.csv", index=False, float_format="%.6g")
    write_arrays(folder / "samples.npz", steps=trained.sample_steps, images=trained.samples)
    summary = {
        "architecture": settings.architecture,
        "steps": settings.steps,
        "training_images": len(split),
        **{f"{name}_parameters": network.count_params() for name, network in networks.items()},
        "stability": trained.stability.verdict,
        "best_step": trained.best_step,
        "final": {name: value for name, value in trained.history[-1].items() if isfinite(value)},
    }
    write_json(folder / "stability.json", trained.stability.as_dict())
    write_json(folder / "classes.json", classes)
    write_json(folder / "summary.json", summary)
