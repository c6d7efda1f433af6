"""A finished sweep, made without training: points with the skill that a test gives them."""

import numpy as np
import pandas as pd
from builders import build_evaluation, write_json

from augstudy.core import artifacts
from augstudy.core.files import write_arrays
from augstudy.models.recipes import classifier_recipe
from augstudy.tuning.points import HISTORY, KIND, POINTS, PREDICTIONS
from augstudy.tuning.sweep import expand


def build_points(
    path, dataset, sweep, skills, seeds=(0, 1), worker=0, workers=1, spread=0.004, dealt=None
):
    """What a worker leaves; `skills` has validation accuracy and overfitting by point.

    A point without any is as good as the base; `dealt` says which there are, if not all. Every
    image is as easy for each point.
    """
    labels = np.load(dataset.file("val_labels.npy"))
    dealt = dealt or list(enumerate(expand(sweep)))[worker::workers]
    ease = np.random.default_rng(7).uniform(size=len(labels))
    records, predictions, histories, costs = [], {}, [], {}
    for place, point in dealt:
        skill, gap = skills.get(point.id, skills["base"])
        generator = np.random.default_rng([3, place])
        runs = skill + generator.normal(0, spread, len(seeds))
        noise = generator.normal(0, 0.02, (len(seeds), len(labels)))
        right = ease + noise < runs[:, None]
        predictions[point.id] = np.where(right, labels, (labels + 1) % 3).astype(np.int16)
        training = [
            {"seed": seed, "epochs": 8, "best_epoch": 7, "steps": 80, "images": 300}
            | {"budget": "steps", "parameters": 164_363, "val_accuracy": float(row.mean())}
            | {"train_accuracy": float(row.mean() + gap + generator.normal(0, spread))}
            for seed, row in zip(seeds, right, strict=True)
        ]
        records.append(
            {"place": place, "id": point.id, "chosen": point.chosen, "changes": point.changes}
            | {"settings": classifier_recipe("baseline").model_dump(mode="json")}
            | {"seeds": list(seeds), "training": training}
        )
        costs[point.id] = {"cpu_s": 20.0 + place, "wall_s": 12.0}
        for seed, row in zip(seeds, right, strict=True):
            epochs = np.arange(1, 9)
            rise = row.mean() * (1 - np.exp(-epochs / 2.5))
            frame = {
                "epoch": epochs,
                "loss": 2 - rise,
                "accuracy": rise + gap,
                "val_loss": 2 - rise,
            }
            frame |= {"val_accuracy": rise, "learning_rate": 0.001, "point": point.id, "seed": seed}
            histories.append(pd.DataFrame(frame))
    config = {"points": {point.id: {} for _, point in dealt}, "seeds": list(seeds)}
    spent = {"points": costs}
    inputs = {"dataset": dataset}
    with artifacts.publish(path, KIND, inputs=inputs, config=config, provenance=spent) as draft:
        write_json(draft / POINTS, records)
        write_json(draft / "classes.json", dataset.json("classes.json"))
        write_arrays(draft / PREDICTIONS, **predictions)
        pd.concat(histories).to_csv(draft / HISTORY, index=False)
    return path


def build_tested(path, dataset, name, point, seeds=(0, 1), skill=0.0):
    """The evaluation of the base or of the chosen point."""
    build_evaluation(path, dataset, seeds=seeds, name=name, skill=skill, point=point)
    return path
