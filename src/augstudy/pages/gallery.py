"""The parts of the report that show pictures: GAN, images, heat maps, data, provenance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augstudy.core.artifacts import Artifact
from augstudy.pages import quality, style, wording
from augstudy.pages import stability as stability_words
from augstudy.pages.figures import data as data_figures
from augstudy.pages.figures import gan as gan_figures
from augstudy.pages.figures import pictures
from augstudy.pages.sections import shown_classes
from augstudy.results.material import Material
from augstudy.settings.spec import ImageSpec

_SHOTS = 6
_BESIDE = 6
_CAM_PER_KIND = 2
_DATA_COLUMNS = 10
_NAMED = 5  # files that could not be read


def sets(material: Material) -> list[dict[str, Any]]:
    """What is shown of each set of synthetic images."""
    return [
        {
            "name": name if len(material.sets) > 1 else "",
            "gan": _gan(material, parts.gan) if parts.gan else None,
            "beside": _beside_real(material, parts.images) if parts.images else None,
            "quality": _measured(material, parts.images) if parts.images else None,
        }
        for name, parts in material.sets.items()
    ]


def _gan(material: Material, artifact: Artifact) -> dict[str, Any]:
    """Stability, losses, accuracies and samples over time of a generator."""
    history = pd.read_csv(artifact.file("history.csv"))
    stability = artifact.json("stability.json")
    return {
        "verdict": stability["verdict"],
        "reason": stability_words.reason(stability),
        "evidence": flat_rows(stability.get("evidence", {})),
        "alarms": [
            {**item, "says": stability_words.meaning(item)} for item in stability.get("alarms", [])
        ],
        "losses": gan_figures.over_steps(history, gan_figures.LOSSES, percent=False),
        "accuracies": gan_figures.over_steps(history, gan_figures.ACCURACIES, percent=True),
        "watched": _at_moments(history, gan_figures.WATCHED, percent=True),
        "score": _at_moments(history, gan_figures.SCORE, percent=False),
        "over_time": _samples_over_time(material, artifact),
        "settings": flat_rows(artifact.json("summary.json")),
    }


def _beside_real(material: Material, artifact: Artifact) -> dict[str, Any]:
    """Real and synthetic images of each class side by side."""
    images = np.load(artifact.file("images.npy"), mmap_mode="r", allow_pickle=False)
    labels = np.load(artifact.file("labels.npy"), allow_pickle=False)
    rows = [
        {
            "label": material.classes[index],
            "real": _first(material.train.images, material.train.labels, index, material.spec),
            "synthetic": _first(images, labels, index, material.spec),
        }
        for index in shown_classes(material)
    ]
    return {
        "rows": rows,
        "count": len(labels),
    }


def _measured(material: Material, artifact: Artifact) -> dict[str, Any] | None:
    """How good the synthetic images are; None where nothing was measured."""
    names = [material.classes[index] for index in shown_classes(material)]
    return quality.section(artifact.json("quality.json"), names)


def cams(material: Material, best: str | None, budget: int) -> list[dict[str, Any]]:
    """Heat maps of right and wrong predictions, arm by arm while `budget` characters last."""
    titles = {arm.label: wording.title_of(arm) for arm in material.arms}
    order = sorted(material.cams, key=lambda label: (label != "real", label != best))
    parts: list[dict[str, Any]] = []
    for label in order:
        rows = _cam_rows(material, material.cams[label])
        size = sum(len(tile["uri"]) + 250 for row in rows for tile in row["right"] + row["wrong"])
        if size > budget:
            break
        budget -= size
        parts.append({"title": titles[label], "rows": rows})
    return parts


def data(material: Material, notes: Sequence[str] = ()) -> dict[str, Any]:
    """Where the images come from, how many there are, what they look like; `notes` come first."""
    report = material.dataset.json("data_report.json")
    shown = shown_classes(material)
    names = [material.classes[index] for index in shown]
    images, labels = material.train.images, material.train.labels
    described = report.get("classes", {})
    bright = [float(images[labels == index].mean() / 255) for index in shown]
    kind = "ink" if material.spec.is_drawing else "brightness"
    share = report.get("ink_share" if kind == "ink" else "brightness")
    return {
        "kind": kind,
        "notes": [*notes, *_notes(report, material.spec)],
        "copies": _copies(report.get("near_copies"), material.dataset),
        "means": data_figures.by_class(names, bright, kind),
        "histogram": data_figures.histogram(share, kind) if share else None,
        "sheet": [
            {
                "label": name,
                "uri": pictures.strip(
                    images[labels == index][:_DATA_COLUMNS], _DATA_COLUMNS, material.spec
                ),
            }
            for name, index in zip(names, shown, strict=True)
        ],
        "counts": [_counts(name, described[name]) for name in names if name in described],
    }


def _notes(report: Mapping[str, Any], spec: ImageSpec) -> list[str]:
    """What was done to the images, and what was left out, in sentences."""
    found = []
    if sizes := report.get("sizes"):
        least, median, most = (
            " x ".join(map(str, sizes[name])) for name in ("smallest", "median", "largest")
        )
        was = f"{median} pixels" if least == most else f"{least} to {most} pixels, {median} usually"
        found.append(f"The images are {was}; here they are {spec.height} x {spec.width}.")
    named = [
        why for item in report.get("classes", {}).values() for why in item.get("unreadable", ())
    ]
    if count := report.get("total", {}).get("unreadable"):
        told = "; ".join(": ".join(why) for why in named[:_NAMED])
        files = wording.counted(count, "file")
        found.append(
            f"{files} could not be read and {'was' if count == 1 else 'were'} left out: {told}."
        )
    if left_out := report.get("left_out"):
        found.append(f"Left out: {', '.join(f'{n:,} {what}' for what, n in left_out.items())}.")
    return found


def _copies(found: Mapping[str, Any] | None, dataset: Artifact) -> dict[str, str] | None:
    """How many near copies there are, and the first pairs; None where there are none."""
    if not found or not found["pairs"]:
        return None
    said = (
        f"{found['images']:,} images are near copies of others ({found['pairs']:,} pairs), and lie "
        "on one side of the splits together."
    )
    if two := found["of_two_classes"]:
        pairs, are = wording.counted(two, "pair"), "is" if two == 1 else "are"
        said += f" {pairs} {are} of two classes: one of the labels is wrong, or both fit."
    with Image.open(dataset.file("near_copies.png")) as picture:
        return {"said": said, "uri": style.image_uri(np.asarray(picture), lossy=True)}


def provenance(material: Material) -> list[dict[str, str]]:
    """Kind, content hash, code version and seed of every input."""
    return [
        {
            "name": name.replace("_", " ", 1),
            "hash": artifact.content_hash[:16],
            "code": artifact.manifest.code,
            "seed": "" if artifact.manifest.seed is None else str(artifact.manifest.seed),
        }
        for name, artifact in material.inputs.items()
    ]


def flat_rows(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A nested mapping as (dotted key, text) rows."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping) and value:
            rows += flat_rows(value, f"{name} · ")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            rows.append((name, "; ".join(_inline(item) for item in value)))
        elif isinstance(value, list | tuple):
            rows.append((name, ", ".join(_short(item) for item in value)))
        else:
            rows.append((name, _short(value)))
    return rows


def _inline(item: Any) -> str:
    if not isinstance(item, Mapping):
        return _short(item)
    return " ".join(f"{key} {_short(value)}" for key, value in item.items() if value is not None)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _at_moments(
    history: pd.DataFrame, columns: Mapping[str, tuple[str, str]], percent: bool
) -> str | None:
    """Curves of figures that only some rows have; None if none has them."""
    there = all(name in history and history[name].notna().any() for name in columns)
    return gan_figures.over_steps(history, columns, percent) if there else None


def _samples_over_time(material: Material, artifact: Artifact) -> dict[str, Any]:
    with np.load(artifact.file("samples.npz"), allow_pickle=False) as stored:
        steps, images = stored["steps"], stored["images"]
    chosen = np.unique(np.linspace(0, len(steps) - 1, _SHOTS).round().astype(int))
    rows = [
        {
            "label": material.classes[index],
            "uri": pictures.strip(images[chosen, index, 0], len(chosen), material.spec),
        }
        for index in shown_classes(material)
    ]
    return {"steps": [f"{steps[index]:,}" for index in chosen], "rows": rows}


def _first(
    images: NDArray[np.uint8], labels: NDArray[np.int32], index: int, spec: ImageSpec
) -> str:
    rows = np.flatnonzero(labels == index)[:_BESIDE]
    return pictures.strip(np.asarray(images[rows]), _BESIDE, spec)


def _cam_rows(material: Material, artifact: Artifact) -> list[dict[str, Any]]:
    with np.load(artifact.file("maps.npz"), allow_pickle=False) as stored:
        maps = {name: stored[name] for name in stored.files}
    rows = []
    for index in shown_classes(material):
        own = np.flatnonzero(maps["labels"] == index)
        right = own[maps["predicted"][own] == index][:_CAM_PER_KIND]
        wrong = own[maps["predicted"][own] != index][:_CAM_PER_KIND]
        rows.append(
            {
                "label": material.classes[index],
                "right": [_cam_tile(material, maps, item) for item in right],
                "wrong": [_cam_tile(material, maps, item) for item in wrong],
            }
        )
    return rows


def _cam_tile(material: Material, maps: Mapping[str, Any], item: int) -> dict[str, str]:
    return {
        "uri": pictures.heat_tile(maps["images"][item], maps["heat"][item], material.spec),
        "predicted": material.classes[int(maps["predicted"][item])],
        "confidence": wording.percent(float(maps["confidence"][item]), 0),
    }


def _counts(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    dropped = described.get("dropped", {})
    lost = sum(dropped.values()) if isinstance(dropped, Mapping) else dropped
    keys = ("available", "train", "extra", "val", "test")
    return {"label": name, "dropped": lost} | {key: described.get(key, "") for key in keys}
