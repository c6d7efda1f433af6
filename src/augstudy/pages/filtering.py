"""Which images passed the filter, class by class, in numbers and pictures."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.data import shares
from augstudy.pages import wording
from augstudy.pages.figures import pictures
from augstudy.pages.sections import shown_classes
from augstudy.results.material import Material
from augstudy.settings.arms import KINDS
from augstudy.settings.spec import ImageSpec

_SHOWN = 6


def section(material: Material) -> dict[str, Any] | None:
    """A part for synthetic and one for real images; None if nothing was filtered."""
    if material.curation is None:
        return None
    record = material.curation.json("curation.json")
    titles = {"synthetic": "Synthetic images", "real": "Real training images"}
    parts = [
        _part(material, what, title, record[what])
        for what, title in titles.items()
        if what in record
    ]
    return {"parts": parts, "notes": shortfalls(material)}


def shortfalls(material: Material) -> list[str]:
    """A sentence for each filtered arm for which too few images passed, of a class or in all."""
    if material.curation is None:
        return []
    record = material.curation.json("curation.json")
    balance = material.curation.manifest.config["curation"]["balance"]
    notes = []
    for arm in material.arms:
        kind = KINDS.get(arm.arm)
        if kind is None or not kind.filtered:
            continue
        title = wording.title_of(arm)
        judged = record["synthetic" if kind.synthetic else "real"]
        kept = {name: item["kept"] for name, item in judged["by_class"].items()}
        share = arm.share if kind.synthetic else judged["kept"] / judged["judged"]
        wanted = shares.of_each(share, material.real_counts)
        pairs = zip(kept.items(), wanted, strict=True)
        short = [f"{name}: {passed}" for (name, passed), count in pairs if passed < count]
        if balance and short:
            each = f"{wanted[0]} images per class" if len(set(wanted)) == 1 else "its share of each"
            notes.append(
                f"{title} takes {each}, but fewer of some classes passed the filter "
                f"({', '.join(short)}). The most confident of the others make up the number."
            )
        elif kind.synthetic and judged["kept"] < sum(wanted):
            notes.append(
                f"{title} takes {sum(wanted):,} images, but only "
                f"{judged['kept']:,} passed the filter. The most confident of the others "
                "make up the number."
            )
    return notes


def _part(material: Material, what: str, title: str, record: Mapping[str, Any]) -> dict[str, Any]:
    shown = _images(material, what)
    rows = []
    for index in shown_classes(material):
        item = record["by_class"][material.classes[index]]
        row = {
            "label": material.classes[index],
            "judged": f"{item['judged']:,}",
            "kept": f"{item['kept']:,}",
            "share": wording.percent(item["kept"] / max(1, item["judged"]), 0),
            "threshold": wording.percent(item["threshold"], 0),
        }
        if shown is not None:
            row |= _strips(*shown, index, material.spec)
        rows.append(row)
    return {
        "title": title,
        "kept": f"{record['kept']:,}",
        "judged": f"{record['judged']:,}",
        "accuracy": wording.percent(record["filter_val_accuracy"]),
        "rows": rows,
        "pictures": shown is not None,
    }


def _images(
    material: Material, what: str
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.bool_]] | None:
    """Images, labels and what was kept; None if the synthetic images are missing."""
    assert material.curation is not None
    with np.load(material.curation.file(f"{what}.npz"), allow_pickle=False) as stored:
        kept = stored["kept"]
    if what == "real":
        return material.train.images, material.train.labels, kept
    if material.synthetic is None:
        return None
    images = np.load(material.synthetic.file("images.npy"), mmap_mode="r", allow_pickle=False)
    labels = np.load(material.synthetic.file("labels.npy"), allow_pickle=False)
    return (images, labels, kept) if len(labels) == len(kept) else None


def _strips(
    images: NDArray[np.uint8],
    labels: NDArray[np.int32],
    kept: NDArray[np.bool_],
    index: int,
    spec: ImageSpec,
) -> dict[str, str]:
    """The first images of a class that were kept, and the first that were dropped."""
    found = {}
    for name, chosen in (("passed", kept), ("dropped", ~kept)):
        rows = np.flatnonzero((labels == index) & chosen)[:_SHOWN]
        found[name] = pictures.strip(np.asarray(images[rows]), _SHOWN, spec)
    return found
