"""Which images passed the filter, class by class, in numbers and pictures."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.core.artifacts import Artifact
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
    named = len(material.sets) > 1
    parts = [
        _part(material, judged, f"Synthetic images, {name}" if named else "Synthetic images")
        for name in material.sets
        if (judged := _of_set(material, name))
    ]
    if judged := _of_real(material):
        parts.append(_part(material, judged, "Real training images"))
    return {"parts": parts, "notes": shortfalls(material)} if parts else None


@dataclass(frozen=True)
class _Judged:
    """What the filter said: the artifact, what of it, and the images that it is about."""

    artifact: Artifact
    what: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int32]

    @property
    def record(self) -> dict[str, Any]:
        """How many were judged and kept."""
        found: dict[str, Any] = self.artifact.json("curation.json")[self.what]
        return found

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which were kept: (N,)."""
        with np.load(self.artifact.file(f"{self.what}.npz"), allow_pickle=False) as stored:
            kept: NDArray[np.bool_] = stored["kept"]
        return kept


def _of_set(material: Material, name: str) -> _Judged | None:
    parts = material.sets[name]
    if not (parts.filter and parts.images and "synthetic.npz" in parts.filter.manifest.files):
        return None
    images = np.load(parts.images.file("images.npy"), mmap_mode="r", allow_pickle=False)
    labels = np.load(parts.images.file("labels.npy"), allow_pickle=False)
    return _Judged(parts.filter, "synthetic", images, labels)


def _of_real(material: Material) -> _Judged | None:
    if not (material.filter and "real.npz" in material.filter.manifest.files):
        return None
    return _Judged(material.filter, "real", material.train.images, material.train.labels)


def shortfalls(material: Material) -> list[str]:
    """A sentence for each filtered arm for which too few images passed, of a class or in all."""
    notes = []
    for arm in material.arms:
        kind = KINDS.get(arm.arm)
        if kind is None or not kind.filtered:
            continue
        found = _of_set(material, material.set_of(arm)) if kind.synthetic else _of_real(material)
        if found is None:
            continue
        title, judged = wording.title_of(arm), found.record
        balance = found.artifact.manifest.config["curation"]["balance"]
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


def _part(material: Material, judged: _Judged, title: str) -> dict[str, Any]:
    record, rows = judged.record, []
    shown = judged.images, judged.labels, judged.kept
    for index in shown_classes(material):
        item = record["by_class"][material.classes[index]]
        row = {
            "label": material.classes[index],
            "judged": f"{item['judged']:,}",
            "kept": f"{item['kept']:,}",
            "share": wording.percent(item["kept"] / max(1, item["judged"]), 0),
            "threshold": wording.percent(item["threshold"], 0),
        }
        rows.append(row | _strips(*shown, index, material.spec))
    return {
        "title": title,
        "kept": f"{record['kept']:,}",
        "judged": f"{record['judged']:,}",
        "accuracy": wording.percent(record["filter_val_accuracy"]),
        "rows": rows,
    }


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
