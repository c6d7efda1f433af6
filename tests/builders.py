"""Small datasets, classifiers and evaluations, untrained, for tests of what reads them."""

import json

import numpy as np
import pandas as pd
from drawings import drawings_folder
from PIL import Image
from scipy import ndimage

from augstudy.core import artifacts
from augstudy.metrics.classification import evaluate_predictions
from augstudy.metrics.label_noise import find_label_noise
from augstudy.settings.arms import Arm
from augstudy.settings.data import MAMMALS

TWINS = {"tiger": "zebra", "zebra": "tiger", "cow": "horse", "horse": "cow", "lion": "tiger"}


def read_drawings(name: str, count: int, start: int = 0) -> np.ndarray:
    """(count, 28, 28) uint8; a class that has no file borrows the cows."""
    path = drawings_folder() / f"{name}.npy"
    path = path if path.exists() else drawings_folder() / "cow.npy"
    rows = np.load(path, mmap_mode="r", allow_pickle=False)[start : start + count]
    return np.array(rows).reshape(-1, 28, 28)


def build_dataset(
    path, classes=MAMMALS, train=8, val=4, test=6, level=0, seed=0, extra=0, **config
):
    """A dataset of real drawings."""
    sizes = {"train": train, "extra": extra, "val": val, "test": test}
    config |= {"source": "file:///drawings", "classes": list(classes), "level": level}
    pool = {"train": train + extra, "val": val, "test": test}
    config |= {f"{name}_per_class": size for name, size in pool.items()} | {"seed": seed}
    with artifacts.publish(path, "dataset", config=config, seed=seed) as draft:
        start = 0
        for name, size in sizes.items():
            images = np.concatenate([read_drawings(label, size, start) for label in classes])
            labels = np.repeat(np.arange(len(classes), dtype=np.int32), size)
            rows = np.tile(np.arange(start, start + size, dtype=np.int64), len(classes))
            for key, value in (("images", images), ("labels", labels), ("rows", rows)):
                np.save(draft / f"{name}_{key}.npy", value)
            start += size
            if name == "test":
                np.save(draft / "test_thumbnails.npy", images[::-1])
        write_json(draft / "classes.json", list(classes))
        write_json(draft / "data_report.json", report_of(classes, sizes))
        Image.new("L", (28, 28)).save(draft / "samples.png")
    return artifacts.read(path, "dataset")


def report_of(classes, sizes):
    """A data report with the keys of a real one."""
    drawings = {name: read_drawings(name, sum(sizes.values())) for name in classes}
    shares = np.concatenate([(images > 0).mean(axis=(1, 2)) for images in drawings.values()])
    counts, edges = np.histogram(shares, bins=32, range=(0, 1))
    lost = {"blank": 0, "repeated": 1, "in_other_class": 0}
    return {
        "classes": {
            name: {"available": 424, "read": 424, "dropped": lost, **sizes, "unused": 0}
            | {"mean_ink": float(images.mean() / 255)}
            for name, images in drawings.items()
        },
        "total": {"read": 424 * len(classes), "dropped": len(classes)},
        "ink_share": {"edges": edges.tolist(), "counts": counts.tolist()},
    }


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1))


def predictions(dataset, seeds, skill, run_spread, generator_seed):
    """(S, N, C) probabilities: an image is as easy in every arm, and tigers look like zebras."""
    classes = dataset.json("classes.json")
    labels = np.load(dataset.file("test_labels.npy"))
    ease = np.random.default_rng(99).normal(1.9, 1.6, len(labels))
    generator = np.random.default_rng(generator_seed)
    logits = generator.normal(0, 0.7, (len(seeds), len(labels), len(classes)))
    runs = generator.normal(0, run_spread, (len(seeds), 1))
    logits[:, np.arange(len(labels)), labels] += ease + skill + runs
    for label, twin in TWINS.items():
        if label in classes and twin in classes:
            rows = np.flatnonzero(labels == classes.index(label))
            logits[:, rows, classes.index(twin)] += 0.9
    logits -= logits.max(-1, keepdims=True)
    odds = np.exp(logits)
    return (odds / odds.sum(-1, keepdims=True)).astype(np.float32)


def history(seeds, epochs, skill, generator_seed):
    """Learning curves that look like learning curves."""
    generator = np.random.default_rng(generator_seed)
    frames = []
    for seed in seeds:
        length = epochs - int(generator.integers(0, max(1, epochs // 6)))
        epoch = np.arange(1, length + 1)
        rise = 1 - np.exp(-epoch / (epochs / 6))
        train = 0.12 + (0.83 + 0.02 * skill) * rise + generator.normal(0, 0.006, length)
        val = 0.12 + (0.6 + 0.06 * skill) * rise + generator.normal(0, 0.012, length)
        frames.append(
            pd.DataFrame(
                {
                    "seed": seed,
                    "epoch": epoch,
                    "loss": 2.4 * (1 - train) + 0.05,
                    "accuracy": train.clip(0, 1),
                    "val_loss": 2.4 * (1 - val) + 0.002 * epoch,
                    "val_accuracy": val.clip(0, 1),
                    "learning_rate": 0.001 * 0.5 * (1 + np.cos(np.pi * epoch / (epochs + 1))),
                }
            )
        )
    return pd.concat(frames)


def build_classifier(path, dataset, seeds=(0, 1, 2), content=b""):
    """A classifier's records; the models themselves are files that hold `content`."""
    chosen = Arm(arm="real")
    curves = history(seeds, 12, 0.0, 5)
    inputs = {"dataset": dataset}
    with artifacts.publish(path, "classifier", inputs=inputs) as draft:
        for seed in seeds:
            (draft / f"seed-{seed}").mkdir()
            (draft / f"seed-{seed}" / "model.keras").write_bytes(content)
        (draft / "architecture.txt").write_text("A convolution, and a dense layer.\n")
        write_json(draft / "arm.json", chosen.record())
        write_json(draft / "training.json", training_records(curves, seeds, 10))
        write_json(draft / "classes.json", dataset.json("classes.json"))
    return artifacts.read(path, "classifier")


def build_evaluation(
    path,
    dataset,
    arm="real",
    share=None,
    seeds=(0, 1, 2),
    skill=0.0,
    run_spread=0.1,
    epochs=12,
    classifier=None,
    name=None,
    discriminator=False,
    point="",
    of=None,
):
    """An evaluation whose accuracy grows with `skill` (0 is about 0.75)."""
    chosen = Arm(arm=arm, share=share, name=name, set=of)
    noise = sum(map(ord, chosen.label))
    probabilities = predictions(dataset, seeds, skill, run_spread, noise)
    labels = np.load(dataset.file("test_labels.npy"))
    images = len(np.load(dataset.file("train_labels.npy")))
    images = int(images * (1 + (share if arm == "add" else 0)))
    curves = history(seeds, epochs, skill, noise)
    classes = dataset.json("classes.json")
    inputs = {"dataset": dataset} | ({"classifier": classifier} if classifier else {})
    with artifacts.publish(path, "evaluation", inputs=inputs) as draft:
        np.savez(
            draft / "predictions.npz",
            probabilities=probabilities,
            labels=labels,
            rows=np.load(dataset.file("test_rows.npy")),
            seeds=np.array(seeds, np.int64),
        )
        noise = find_label_noise(probabilities.mean(axis=0), labels)
        rows = noise.ranked()[:24]
        np.savez(
            draft / "label_noise.npz",
            suspicious=noise.suspicious,
            noise=noise.noise,
            images=np.load(dataset.file("test_images.npy"))[rows],
            labels=labels[rows],
            suggested=noise.suggested[rows].astype(np.int32),
            margin=noise.margin[rows],
        )
        metrics = evaluate_predictions(probabilities, labels, classes, seeds, resamples=200)
        if discriminator:
            found = evaluate_predictions(probabilities[:1], labels, classes, [0], resamples=200)
            write_json(draft / "discriminator-compact.json", found)
        write_json(draft / "metrics.json", metrics)
        curves.to_csv(draft / "history.csv", index=False)
        write_json(draft / "arm.json", chosen.record() | ({"point": point} if point else {}))
        write_json(draft / "training.json", training_records(curves, seeds, images))
        write_json(draft / "classes.json", classes)
    return artifacts.read(path, "evaluation")


def training_records(curves, seeds, images):
    """The list of training.json."""
    return [
        {
            "seed": seed,
            "epochs": int((curves.seed == seed).sum()),
            "best_epoch": int((curves.seed == seed).sum()) - 2,
            "train_accuracy": float(curves[curves.seed == seed].accuracy.iloc[-1]),
            "val_accuracy": float(curves[curves.seed == seed].val_accuracy.iloc[-1]),
            "parameters": 280_123,
            "images": images,
            "budget": "steps",
            "steps": 1234,
        }
        for seed in seeds
    ]


def build_cam(path, dataset, arm="real", share=None, per_class=2):
    """Heat that sits on the ink, right and wrong pictures of every class."""
    chosen = Arm(arm=arm, share=share)
    classes = dataset.json("classes.json")
    labels = np.load(dataset.file("test_labels.npy"))
    images = np.load(dataset.file("test_images.npy"))
    generator = np.random.default_rng(sum(map(ord, chosen.label)))
    picked = np.concatenate(
        [np.flatnonzero(labels == index)[: 2 * per_class] for index in range(len(classes))]
    )
    predicted = labels[picked].copy()
    wrong = np.arange(len(picked)) % (2 * per_class) >= per_class
    predicted[wrong] = (predicted[wrong] + generator.integers(1, len(classes), wrong.sum())) % len(
        classes
    )
    with artifacts.publish(path, "cam", inputs={"dataset": dataset}) as draft:
        np.savez(
            draft / "maps.npz",
            images=images[picked],
            heat=np.stack([heat_of(image, generator) for image in images[picked]]),
            labels=labels[picked],
            predicted=predicted.astype(np.int32),
            confidence=generator.uniform(0.35, 0.99, len(picked)).astype(np.float32),
        )
        Image.new("L", (28, 28)).save(draft / "gallery.png")
        write_json(draft / "arm.json", chosen.record())
        write_json(draft / "classes.json", classes)
    return artifacts.read(path, "cam")


def heat_of(image, generator):
    """(height, width) float16 in [0, 1]: warm around one inked place."""
    image = image if image.ndim == 2 else image.mean(axis=-1)
    inked = np.argwhere(image > 100)
    spot = np.zeros(image.shape)
    for y, x in inked[generator.integers(0, len(inked), 2)]:
        spot[y, x] = 1
    heat = ndimage.gaussian_filter(spot, 4)
    return (heat / heat.max()).astype(np.float16)
