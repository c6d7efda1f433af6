"""Train the GAN, or the diffusion model, on the training images of the level."""

import logging
from pathlib import Path

import pandas as pd

from augstudy import artifacts, telemetry
from augstudy.artifacts import Artifact
from augstudy.backend import resolve_precision
from augstudy.config import GeneratorSettings
from augstudy.data.dataset import Split, load_classes, load_split
from augstudy.files import write_arrays, write_json
from augstudy.training import gan
from augstudy.training.checkpoints import Keeper
from augstudy.training.saving import save_model
from augstudy.training.stability import judge

logger = logging.getLogger("augstudy")

KIND = "gan"
JUDGED_PER_CLASS = 32


def run(dataset: Path, out: Path, settings: GeneratorSettings, seed: int = 0) -> Artifact:
    """Train a generator on the training split and publish it as an artifact of kind ``gan``.

    Ended early (by a signal, a lost machine), the next call goes on from the last checkpoint and
    publishes what it would have published then.

    Raises:
        InputError: no such architecture, or the training diverged.
    """
    with telemetry.stage("train_gan") as stage:
        source = artifacts.read(dataset, "dataset")
        inputs = {"dataset": source}
        config = {
            "settings": settings.model_dump(mode="json"),
            "seed": seed,
            "precision": resolve_precision(settings.precision),
        }
        if done := artifacts.find(out, KIND, inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            return done
        split, classes = load_split(source, "train"), load_classes(source)
        keeper = Keeper.beside(out, KIND, inputs, config)
        with artifacts.publish(out, KIND, inputs=inputs, config=config, seed=seed) as folder:
            trained = gan.train(
                settings,
                split.images,
                split.labels,
                classes=len(classes),
                seed=seed,
                progress=stage.progress,
                keeper=keeper,
            )
            _write(folder, trained, split, classes, settings, seed)
        keeper.clear()
    return artifacts.read(out, KIND)


def _write(
    folder: Path,
    trained: gan.Trained,
    split: Split,
    classes: list[str],
    settings: GeneratorSettings,
    seed: int,
) -> None:
    networks = {"generator": trained.generator}
    if trained.discriminator is not None:
        networks["discriminator"] = trained.discriminator
    for name, network in networks.items():
        save_model(network, folder / f"{name}.keras")
    history = pd.DataFrame(trained.history)
    history.to_csv(folder / "history.csv", index=False, float_format="%.6g")
    write_arrays(folder / "samples.npz", steps=trained.sample_steps, images=trained.samples)
    drawn = gan.generate_grid(trained.generator, len(classes), JUDGED_PER_CLASS, seed)
    stability = judge(trained.history, drawn, split.images, split.labels)
    if stability.verdict != "stable":
        logger.warning("The training of the generator %s: %s", stability.verdict, stability.reason)
    summary = {
        "architecture": settings.architecture,
        "steps": settings.steps,
        "training_images": len(split),
        **{f"{name}_parameters": network.count_params() for name, network in networks.items()},
        "stability": stability.verdict,
        "final": trained.history[-1],
    }
    write_json(folder / "stability.json", stability.as_dict())
    write_json(folder / "classes.json", classes)
    write_json(folder / "summary.json", summary)
