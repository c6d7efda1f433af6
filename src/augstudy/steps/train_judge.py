"""Train the judge of synthetic images on real images."""

import logging
from pathlib import Path

import numpy as np

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.files import write_arrays, write_json
from augstudy.data.dataset import Split, load_classes, load_pool, load_spec, load_split
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.judging import JudgeSettings
from augstudy.settings.spec import ImageSpec
from augstudy.training import classifier
from augstudy.training.checkpoints import Keeper
from augstudy.training.judge import KIND, recipe, standardisation
from augstudy.training.predicting import predict_as
from augstudy.training.saving import save_model

logger = logging.getLogger("augstudy")


def run(dataset: Path, out: Path, settings: JudgeSettings) -> Artifact:
    """Train the judge and publish it as an artifact of kind ``judge``.

    It learns from all real images that are neither validation nor test: those of the level and,
    where the dataset has any, the rest of the training pool. So it sees more than the GAN does.
    Validation chooses its epoch. Ended early, the next call goes on from the last checkpoint.

    Raises:
        InputError: no such recipe.
    """
    with telemetry.stage("train_judge") as stage:
        source = artifacts.read(dataset, "dataset")
        inputs = {"dataset": source}
        config = {"settings": settings.model_dump(mode="json")}
        if done := artifacts.find(out, KIND, inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            return done
        keeper = Keeper.beside(out, KIND, inputs, config)
        with artifacts.publish(
            out, KIND, inputs=inputs, config=config, seed=settings.seed
        ) as folder:
            _train(folder, source, settings, keeper, stage)
        keeper.clear()
    return artifacts.read(out, KIND)


def _train(
    folder: Path, dataset: Artifact, settings: JudgeSettings, keeper: Keeper, stage: telemetry.Stage
) -> None:
    pool, validation = load_pool(dataset), load_split(dataset, "val")
    classes, spec = load_classes(dataset), load_spec(dataset)
    chosen = recipe(settings, settings.steps, len(pool.images))
    trained = classifier.train(
        chosen,
        (pool.images, pool.labels),
        (validation.images, validation.labels),
        spec,
        classes=len(classes),
        seed=settings.seed,
        progress=stage.progress,
        keeper=keeper,
    )
    accuracy = _accuracy(trained, validation, spec, chosen)
    logger.info("%s: validation accuracy %.3f", stage.title, accuracy)
    mean, scale = standardisation(trained.model, pool.images)
    save_model(trained.model, folder / "model.keras")
    write_arrays(folder / "standardisation.npz", mean=mean, scale=scale)
    trained.history.to_csv(folder / "history.csv", index=False)
    write_json(folder / "classes.json", classes)
    described = {
        "classifier": settings.classifier,
        "training_images": len(pool.images),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "steps": trained.steps,
        "features": len(mean),
        "val_accuracy": accuracy,
        "val_images": len(validation),
    }
    write_json(folder / "judge.json", described)


def _accuracy(
    trained: classifier.Trained, validation: Split, spec: ImageSpec, settings: ClassifierSettings
) -> float:
    predicted = predict_as(settings, trained.model, validation.images, spec).argmax(axis=1)
    return float(np.mean(predicted == validation.labels))
