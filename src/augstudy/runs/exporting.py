"""Hand a set of synthetic images over to people's own training code: PNG files and Parquet."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from augstudy.core import artifacts
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.core.files import check_place, naming
from augstudy.core.outlets import cell
from augstudy.data import sets
from augstudy.data.dataset import load_classes
from augstudy.runs.shelf import Shelf

MANIFEST, TABLE = "manifest.csv", "images.parquet"
_COLUMNS = ("path", "label", "set", "made_by", "origin", "seed", "generator", "confidence", "kept")


def export(shelf: Shelf, out: Path, name: str | None = None, filtered: bool = False) -> int:
    """Write a set of a run as ``<class>/<number>.png``, ``images.parquet`` and ``manifest.csv``.

    Pixels are those that classifiers were trained on. The Parquet file has the layout of Hugging
    Face: ``image`` (bytes and path) and ``label``, whose names are in its metadata. The manifest
    says of each image where it comes from, and what the filter says, if there was one.

    Args:
        shelf: of the run.
        out: folder to write, which must not exist or be empty.
        name: of the set; by default the only one.
        filtered: only what the filter kept.

    Returns:
        How many images were written.

    Raises:
        InputError: there is no such set, it was not filtered, or `out` is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} already exists: name another folder.")
    check_place(out, "folder")
    parts = _parts(shelf, name)
    artifact = artifacts.read(parts[sets.IMAGES], "synthetic")
    images, labels = (
        np.load(artifact.file(f"{item}.npy"), allow_pickle=False) for item in ("images", "labels")
    )
    opinion = _opinion(parts.get(sets.FILTER))
    if filtered and opinion is None:
        raise InputError(
            f"Set {parts[sets.IMAGES].parent.name} was not filtered in this run: leave out "
            "--filtered, or run a study with the arm add_filtered."
        )
    rows = _described(artifact, parts, labels, opinion)
    if filtered:
        rows = [row for row in rows if row["kept"]]
    content = [_png(images[row.pop("row")]) for row in rows]
    out.mkdir(parents=True, exist_ok=True)
    for row, png in zip(rows, content, strict=True):
        target = out / row["path"]
        target.parent.mkdir(exist_ok=True)
        with naming(target):
            target.write_bytes(png)
    with naming(out / MANIFEST), (out / MANIFEST).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, _COLUMNS)
        writer.writeheader()
        writer.writerows(map(_line, rows))
    with naming(out / TABLE):
        _write_table(out / TABLE, rows, content, load_classes(artifact))
    return len(rows)


def _parts(shelf: Shelf, name: str | None) -> dict[str, Path]:
    """Folders of the parts of a set on this machine."""
    found: dict[str, dict[str, str]] = {}
    for kind in ("synthetic", "gan", "curation"):
        for item in shelf.of(kind):
            folder, own, part = item.folder.split("/")[-3:]
            if folder == "gathered":
                found.setdefault(own, {})[part] = item.folder
    there = sorted(own for own, parts in found.items() if sets.IMAGES in parts)
    if not there:
        raise InputError("The run has no synthetic images: no arm used any, or it did not finish.")
    if (name is None and len(there) > 1) or name not in (None, *there):
        raise InputError(f"Name one of the sets of the run with --set: {', '.join(there)}.")
    return {part: shelf.fetched(key) for part, key in found[name or there[0]].items()}


def _opinion(path: Path | None) -> tuple[np.ndarray, np.ndarray] | None:
    if path is None:
        return None
    artifact = artifacts.read(path, "curation")
    with np.load(artifact.file("synthetic.npz"), allow_pickle=False) as stored:
        return stored["confidence"], stored["kept"]


def _described(
    artifact: Artifact,
    parts: dict[str, Path],
    labels: np.ndarray,
    opinion: tuple[np.ndarray, np.ndarray] | None,
) -> list[dict[str, Any]]:
    """A row of the manifest for each image, with its ``row`` in the set."""
    classes, manifest = load_classes(artifact), artifact.manifest
    made = sets.GAN in parts
    gan = artifacts.read(parts[sets.GAN], "gan") if made else None
    names = artifact.json("names.json") if "names.json" in manifest.files else None
    common = {
        "set": parts[sets.IMAGES].parent.name,
        "made_by": gan.manifest.config["settings"]["architecture"]
        if gan
        else manifest.provenance.get("source", ""),
        "seed": manifest.seed if made else "",
        "generator": gan.content_hash if gan else "",
    }
    numbers = dict.fromkeys(range(len(classes)), 0)
    rows = []
    for row, label in enumerate(labels.tolist()):
        numbers[label] += 1
        rows.append(
            {
                "row": row,
                "path": f"{classes[label]}/{numbers[label]:05d}.png",
                "label": classes[label],
                **common,
                "origin": names[row] if names else "",
                "confidence": f"{opinion[0][row]:.4f}" if opinion else "",
                "kept": bool(opinion[1][row]) if opinion else "",
            }
        )
    return rows


def _line(row: dict[str, Any]) -> dict[str, Any]:
    """A row for a spreadsheet; the path stays one, whatever the class is called."""
    path = row["path"]
    return {name: cell(value) for name, value in row.items()} | {
        "path": path if cell(path) == path else f"./{path}"
    }


def _png(image: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


def _write_table(
    path: Path, rows: list[dict[str, Any]], content: list[bytes], classes: list[str]
) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features = {
        "image": {"_type": "Image"},
        "label": {"_type": "ClassLabel", "names": classes},
    }
    schema = pa.schema(
        [("image", image), ("label", pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    pictures = [{"bytes": png, "path": row["path"]} for row, png in zip(rows, content, strict=True)]
    labels = [classes.index(row["label"]) for row in rows]
    parquet.write_table(pa.table([pictures, labels], schema=schema), path)
