"""Small GANs and synthetic drawings, untrained, for tests of what reads them."""

import io

import numpy as np
import pandas as pd
from builders import read_drawings, write_json
from PIL import Image
from scipy import ndimage

from augstudy.core import artifacts
from augstudy.metrics import measuring
from augstudy.metrics.figures import Seen


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


def build_curation(path, dataset, synthetic, kept_share=0.6, balance=True):
    """A filter that keeps most drawings, but hardly any of the first class."""
    classes = dataset.json("classes.json")
    random = np.random.default_rng(9)
    config = {"curation": {"balance": balance}}
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
    return Seen(images, labels, features, np.exp(-distance))


def quality_of(dataset, images, per_class):
    """The quality.json of `images`, but for a judge and a CAS that nobody trained."""
    classes = dataset.json("classes.json")
    count = min(per_class, len(np.load(dataset.file("val_labels.npy"))) // len(classes))
    labels = np.repeat(np.arange(len(classes)), count)

    def of(array, each):
        return eyes(array.reshape(-1, each, 28, 28)[:, :count].reshape(-1, 28, 28), labels, classes)

    splits = {name: np.load(dataset.file(f"{name}_images.npy")) for name in ("val", "train")}
    each = {name: len(array) // len(classes) for name, array in splits.items()}
    found = measuring.measure(
        of(splits["val"], each["val"]),
        of(splits["train"], each["train"]),
        of(images, per_class),
        splits["train"],
        classes,
    )
    for level, record in enumerate([found["metrics"], *found["per_class"].values()]):
        hits = np.arange(40) % 10 < 3 + level % 3
        record["cas"] = measuring.share_record("cas", hits, 0.8)
    return {
        "n": len(images),
        "measured": {"per_class": count, "images": len(labels), "reference": "validation"},
        "judge": {"val_accuracy": 0.81, "training_images": 660},
        **found,
    }
