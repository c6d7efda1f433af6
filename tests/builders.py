"""Small artifacts of every kind, made without training anything, for tests of what reads them."""

import io
import json

import numpy as np
import pandas as pd
from drawings import drawings_folder
from PIL import Image
from scipy import ndimage

from augstudy import artifacts
from augstudy.arms import Arm
from augstudy.config import MAMMALS
from augstudy.metrics import quality
from augstudy.metrics.classification import evaluate_predictions
from augstudy.metrics.label_noise import find_label_noise

TWINS = {"tiger": "zebra", "zebra": "tiger", "cow": "horse", "horse": "cow", "lion": "tiger"}


def read_drawings(name: str, count: int, start: int = 0) -> np.ndarray:
    """(count, 28, 28) uint8; a class that has no file borrows the cows."""
    path = drawings_folder() / f"{name}.npy"
    path = path if path.exists() else drawings_folder() / "cow.npy"
    rows = np.load(path, mmap_mode="r", allow_pickle=False)[start : start + count]
    return np.array(rows).reshape(-1, 28, 28)


def build_dataset(path, classes=MAMMALS, train=8, val=4, test=6, level=0, seed=0, extra=0):
    """A dataset of real drawings."""
    sizes = {"train": train, "extra": extra, "val": val, "test": test}
    config = {"source": "file:///drawings", "classes": list(classes), "level": level}
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
):
    """An evaluation whose accuracy grows with `skill` (0 is about 0.75)."""
    chosen = Arm(arm=arm, share=share, name=name)
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
            write_json(draft / "discriminator.json", found)
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
    """(28, 28) float16 in [0, 1]: warm around one inked place."""
    inked = np.argwhere(image > 100)
    spot = np.zeros((28, 28))
    for y, x in inked[generator.integers(0, len(inked), 2)]:
        spot[y, x] = 1
    heat = ndimage.gaussian_filter(spot, 4)
    return (heat / heat.max()).astype(np.float16)


def fake(image, quality, generator):
    """A drawing as a half-trained generator makes it: `quality` 0 is noise, 1 is nearly real."""
    noise = generator.uniform(0, 255, image.shape)
    blurred = ndimage.gaussian_filter(image.astype(float), 0.3 + 2.5 * (1 - quality))
    mixed = quality**0.3 * blurred + (1 - quality**0.3) * noise
    return mixed.clip(0, 255).astype(np.uint8)


def build_gan(path, dataset, verdict="stable", points=60, shots=5, per_class=4):
    """A GAN's records; the models themselves are empty files."""
    classes = dataset.json("classes.json")
    generator = np.random.default_rng(7)
    step = np.arange(1, points + 1) * 25
    done = step / step[-1]

    def noisy(base, spread):
        return base + generator.normal(0, spread, points)

    frame = pd.DataFrame(
        {
            "step": step,
            "discriminator_loss": noisy(1.4 + 2.2 * np.exp(-6 * done), 0.08),
            "generator_loss": noisy(1.3 + 2.0 * np.exp(-5 * done), 0.12),
            "source_accuracy": noisy(0.62 + 0.2 * np.exp(-5 * done), 0.03),
            "class_accuracy": noisy(0.8 - 0.7 * np.exp(-5 * done), 0.03),
            "fake_class_accuracy": noisy(0.93 - 0.8 * np.exp(-7 * done), 0.03).clip(0, 1),
            "learning_rate": 2e-4,
        }
    )
    images = np.stack(
        [
            np.stack(
                [[fake(i, q, generator) for i in read_drawings(c, per_class)] for c in classes]
            )
            for q in np.linspace(0, 0.9, shots)
        ]
    )
    reason = {"stable": "Losses stay bounded and the samples stay varied."}
    stability = {
        "verdict": verdict,
        "reason": reason.get(verdict, "All samples of a class became the same picture."),
        "evidence": {"sample_diversity": 0.81, "last_source_accuracy": 0.64},
    }
    with artifacts.publish(path, "gan", inputs={"dataset": dataset}, seed=0) as draft:
        for name in ("generator.keras", "discriminator.keras"):
            (draft / name).write_bytes(b"")
        frame.to_csv(draft / "history.csv", index=False)
        np.savez_compressed(
            draft / "samples.npz", steps=np.linspace(0, step[-1], shots).astype(int), images=images
        )
        write_json(draft / "stability.json", stability)
        write_json(draft / "classes.json", classes)
        write_json(draft / "summary.json", {"parameters": 1_200_000, "steps": int(step[-1])})
    return artifacts.read(path, "gan")


def build_synthetic(path, dataset, per_class=10):
    """Blurred real drawings in the role of synthetic ones."""
    classes = dataset.json("classes.json")
    generator = np.random.default_rng(8)
    images = np.stack(
        [fake(i, 0.88, generator) for label in classes for i in read_drawings(label, per_class)]
    )
    with artifacts.publish(path, "synthetic", config={"per_class": per_class}, seed=0) as draft:
        np.save(draft / "images.npy", images)
        np.save(draft / "labels.npy", np.repeat(np.arange(len(classes), dtype=np.int32), per_class))
        np.save(draft / "fault_images.npy", np.tile(images[-per_class:], (len(classes), 1, 1)))
        write_json(draft / "classes.json", classes)
        write_json(draft / "quality.json", quality_of(dataset, images, per_class))
        buffer = io.BytesIO()
        Image.fromarray(images[0]).save(buffer, "PNG")
        (draft / "sheet.png").write_bytes(buffer.getvalue())
    return artifacts.read(path, "synthetic")


def build_curation(path, dataset, synthetic, kept_share=0.6):
    """A filter that keeps most drawings, but hardly any of the first class."""
    classes = dataset.json("classes.json")
    random = np.random.default_rng(9)
    config = {"curation": {"balance": True}}
    record = {"classes": classes}
    with artifacts.publish(path, "curation", config=config) as draft:
        for what, artifact, name in (("synthetic", synthetic, ""), ("real", dataset, "train_")):
            labels = np.load(artifact.file(f"{name}labels.npy"))
            confidence = random.random(len(labels)).astype(np.float32)
            kept = (confidence > 1 - kept_share) & (labels > 0)
            np.savez(draft / f"{what}.npz", confidence=confidence, kept=kept)
            record[what] = {
                "judged": len(labels),
                "kept": int(kept.sum()),
                "filters": 1,
                "filter_val_accuracy": 0.77,
                "by_class": {
                    label: {
                        "judged": int((labels == index).sum()),
                        "kept": int((kept & (labels == index)).sum()),
                        "threshold": 0.6,
                    }
                    for index, label in enumerate(classes)
                },
            }
        write_json(draft / "curation.json", record)
        write_json(draft / "classes.json", classes)
    return artifacts.read(path, "curation")


def eyes(images, labels, classes):
    """A judge made by hand: coarse pixels as features, the nearest class mean as class."""

    def coarse(drawings):
        return drawings.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49) / 255

    means = np.stack([coarse(read_drawings(name, 40, 200)).mean(axis=0) for name in classes])
    features = coarse(images)
    distance = ((features[:, None] - means[None]) ** 2).sum(axis=2)
    return quality.Seen(images, labels, features, np.exp(-distance))


def quality_of(dataset, images, per_class):
    """The quality.json of `images`, but for a judge and a CAS that nobody trained."""
    classes = dataset.json("classes.json")
    count = min(per_class, len(np.load(dataset.file("val_labels.npy"))) // len(classes))
    labels = np.repeat(np.arange(len(classes)), count)

    def of(array, each):
        return eyes(array.reshape(-1, each, 28, 28)[:, :count].reshape(-1, 28, 28), labels, classes)

    splits = {name: np.load(dataset.file(f"{name}_images.npy")) for name in ("val", "train")}
    each = {name: len(array) // len(classes) for name, array in splits.items()}
    found = quality.measure(
        of(splits["val"], each["val"]),
        of(splits["train"], each["train"]),
        of(images, per_class),
        splits["train"],
        classes,
    )
    for level, record in enumerate([found["metrics"], *found["per_class"].values()]):
        hits = np.arange(40) % 10 < 3 + level % 3
        record["cas"] = quality.share_record("cas", hits, 0.8)
    return {
        "n": len(images),
        "measured": {"per_class": count, "images": len(labels), "reference": "validation"},
        "judge": {"val_accuracy": 0.81, "training_images": 660},
        **found,
    }


def build_study(folder, arms=(("real", None, 0.0), ("add", 1.0, 0.4)), seeds=(0, 1, 2), **sizes):
    """A study of `arms` (arm, share, skill): the keyword arguments of summarize.run."""
    dataset = build_dataset(folder / "dataset", **sizes)
    evaluations, cams = [], []
    for arm, share, skill in arms:
        label = Arm(arm=arm, share=share).label
        path = folder / "evaluations" / label
        build_evaluation(path, dataset, arm, share, seeds, skill)
        evaluations.append(path)
        cams.append(build_cam(folder / "cams" / label, dataset, arm, share).path)
    return {
        "dataset": dataset.path,
        "evaluations": evaluations,
        "cams": cams,
        "gan": build_gan(folder / "gan", dataset).path,
        "synthetic": build_synthetic(folder / "synthetic", dataset).path,
        "study": {"name": "low_data", "arms": [label for label, *_ in arms], "level": 0},
    }
