"""Prints the cache keys of what the steps would make, as JSON, by name; loads no networks.

    PYTHONPATH=<a copy of src> python keys.py

The keys are those of :func:`augstudy.core.artifacts.made_of`, of settings as the steps put them.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augstudy.core import artifacts, telemetry
from augstudy.models.gan_recipes import gan_recipe
from augstudy.models.recipes import classifier_recipe
from augstudy.settings.arms import Arm
from augstudy.settings.data import DataSettings
from augstudy.settings.judging import CurationSettings, JudgeSettings

FOLDER = Path(tempfile.mkdtemp())
Made = dict[str, artifacts.Artifact]


def made(kind: str, **config: Any) -> Made:
    """An artifact, as an input."""
    folder = FOLDER / str(len(list(FOLDER.iterdir())))
    with artifacts.publish(folder, kind, config=config) as draft:
        (draft / "content").write_text(kind)
    return {kind: artifacts.read(folder)}


def key(step: str, inputs: Made, **config: Any) -> str:
    """The key of what a step makes of these."""
    with telemetry.stage(step):
        return artifacts.made_of(step, inputs, config)


def of_classifier(arm: Arm, recipe: str) -> dict[str, Any]:
    return {"arm": arm.record(), "seeds": [0], "settings": settings(classifier_recipe(recipe))}


def settings(model: Any) -> Any:
    return model.model_dump(mode="json")


def cells(dataset: Made) -> Iterator[tuple[str, str]]:
    """An arm's classifiers, and what is made of them."""
    share = {"add": 1.0}
    for name, recipe in (("real", "modern"), ("real", "baseline"), ("real", "kernel_5")):
        yield from cell(f"{name} {recipe}", dataset, of_classifier(Arm(arm=name), recipe))
    for name in ("classic", "add"):
        arm = Arm(arm=name, share=share.get(name))
        yield from cell(f"{name} baseline", dataset, of_classifier(arm, "baseline"))


def cell(name: str, dataset: Made, config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield name, key("train_cnn", dataset, **config)
    trained = dataset | made("classifier", **config)
    yield f"evaluate {name}", key("evaluate", trained)
    yield f"cam {name}", key("cam", trained | made("evaluation"))


def generated(dataset: Made) -> Iterator[tuple[str, str]]:
    """Generators, and what they draw."""
    eyes = {"settings": settings(JudgeSettings())}
    yield "judge", key("train_judge", dataset, **eyes)
    judged = dataset | made("judge", **eyes)
    for recipe in ("compact", "report", "diffusion"):
        config = {"settings": settings(gan_recipe(recipe)), "seed": 0}
        yield f"gan {recipe}", key("train_gan", judged, **config)
        yield f"swept {recipe}", key("train_gan_points", judged, **config)
        drawn = {"per_class": 60, "seed": 0}
        yield f"draw {recipe}", key("synthesize", judged | made("gan", **config), **drawn)


def keys() -> Iterator[tuple[str, str]]:
    for source in ("sample", "gs://bucket/folder"):
        yield f"ingest {source}", key("ingest", {}, **settings(DataSettings(source=source)))
    dataset = made("dataset", **settings(DataSettings()))
    yield from cells(dataset)
    yield from generated(dataset)
    recipe = classifier_recipe("modern")
    config = {"curation": settings(CurationSettings()), "settings": settings(recipe)}
    yield "curate", key("curate", dataset | made("synthetic", per_class=60), **config)


if __name__ == "__main__":
    print(json.dumps(dict(keys())))  # noqa: T201
