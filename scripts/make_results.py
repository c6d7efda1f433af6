"""Collect the finished runs of a preset into ``results/<preset>.json``: ``make results``.

    make_results.py PRESET [--runs-dir runs] [--out results] [--run 7] [--name photos_sd]

Of several studies with that preset the one with the most levels counts, of these the newest; or
that of --run. A --name tells studies with one preset but other sets of images apart. The file holds
what `docs/results.md` is made of, and nothing that tells where on a machine things were.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from augstudy.core.errors import AugstudyError, InputError
from augstudy.core.manifest import MANIFEST, Artifact, Manifest
from augstudy.results import files
from augstudy.results.learning import learning_curve
from augstudy.results.material import read_arm
from augstudy.results.models import Study, SyntheticSet

ROOT = Path(__file__).parents[1]
CONFUSED = 5


def collect(runs: Path, preset: str, run: int | None = None) -> dict[str, Any]:
    """What the newest whole study with `preset` among `runs`, or that of `run`, found by level.

    Raises:
        InputError: there is none.
    """
    folders = choose(runs, preset, run)
    records = [json.loads((folder / "run.json").read_text()) for folder in folders]
    levels = [
        level(folder, record, made_by(runs, record))
        for folder, record in zip(folders, records, strict=True)
    ]
    manifests = [item for folder in folders for item in manifest_files(folder)]
    newest = Manifest.model_validate_json(manifests[-1].read_bytes())
    return {
        "preset": preset,
        "command": command(preset, records[0]),
        "date": max(record["finished"] for record in records)[:10],
        "version": records[-1]["version"],
        "code": sorted({record["code"] for record in records}),
        "hardware": records[-1].get("hardware"),
        "threads": records[-1].get("threads"),
        "software": newest.software,
        "cost": total([item["cost"] for item in levels]),
        **together(folders),
        "levels": sorted(levels, key=lambda item: item["data"]["level"]),
    }


def choose(runs: Path, preset: str, run: int | None = None) -> list[Path]:
    """Folders of the study that counts, one per level."""
    studies: dict[Any, list[Path]] = {}
    for path in sorted(runs.glob("*/run.json")):
        record = json.loads(path.read_text())
        whole = record["state"] == "done" and (path.parent / files.SUMMARY).exists()
        if record.get("preset") == preset and whole:
            first = (record.get("series") or {}).get("first", record["id"])
            if run is not None and run not in (first, record["id"]):
                continue
            studies.setdefault(first, []).append(path.parent)
    if not studies:
        raise InputError(
            f"There is no finished run of preset {preset!r} in {runs}: "
            f"run 'make study PRESET={preset}' first."
        )
    return studies[max(studies, key=lambda first: (len(studies[first]), first))]


def made_by(runs: Path, record: dict[str, Any]) -> dict[str, Any]:
    """The record of the finished run of the same study that took over least from others.

    A study that is summarised anew takes minutes; how long it takes from nothing, that run tells.
    """
    records = (json.loads(path.read_text()) for path in sorted(runs.glob("*/run.json")))
    alike = [
        item
        for item in records
        if item["state"] == "done" and item["parameters"] == record["parameters"]
    ]
    return min(alike, key=lambda item: int(item.get("reused", 0)))


def level(folder: Path, record: dict[str, Any], maker: dict[str, Any]) -> dict[str, Any]:
    """What a run found, as small as can be, and what it cost its `maker`."""
    found = study_of(folder)
    kept = found.model_copy(
        update={
            "study": nowhere(found.study),
            "data": found.data.model_copy(update={"source": nowhere(found.data.source)}),
            "sets": {name: _short(item) for name, item in found.sets.items()},
            "filtered_real": None,
        }
    )
    return {
        "run": record["id"],
        **kept.model_dump(mode="json"),
        "gan_accuracy": gan_accuracy(folder),
        "confused": confused(folder),
        "cost": cost(folder, maker),
    }


def _short(found: SyntheticSet) -> SyntheticSet:
    quality = found.quality and found.quality.model_copy(update={"per_class": {}})
    short = {"quality": quality, "filtered": None, "source": nowhere(found.source)}
    return found.model_copy(update=short)


def study_of(folder: Path) -> Study:
    """What the run in a folder found.

    Raises:
        InputError: it is no study.
    """
    found = files.read_summary(folder)
    if not isinstance(found, Study):
        raise InputError(f"{folder} holds no study: name a preset of augmentation_study.")
    return found


def together(folders: list[Path]) -> dict[str, Any]:
    """What the levels say together: what an arm is worth in real images, if there are several.

    And whether all were tested with the same images.
    """
    by_level = {}
    for folder in folders:
        evaluations = manifest_files(folder, "evaluation")
        by_level[study_of(folder).data.level] = [read_arm(path.parent) for path in evaluations]
    tested = [(arms[0].rows, arms[0].labels) for arms in by_level.values()]
    same = all(
        np.array_equal(mine, first)
        for level in tested
        for mine, first in zip(level, tested[0], strict=True)
    )
    worth = learning_curve(by_level).worth if len(by_level) > 1 else ()
    return {"same_test_images": same, "worth": [item.model_dump() for item in worth]}


def cost(folder: Path, maker: dict[str, Any]) -> dict[str, Any]:
    """Seconds of all steps, and of processors, whichever run made what this one used.

    ``elapsed_s`` are those from start to end of the `maker`, which took over ``reused`` steps.
    """
    spent = {"steps_s": 0.0, "cpu_s": 0.0}
    for path in manifest_files(folder):
        made = json.loads(path.read_text())["provenance"]
        spent["steps_s"] += made.get("wall_s", 0.0)
        spent["cpu_s"] += made.get("cpu_s", 0.0)
    rounded = {name: round(value, 1) for name, value in spent.items()}
    return rounded | {"elapsed_s": maker["duration_s"], "reused": maker.get("reused", 0)}


def gan_accuracy(folder: Path) -> dict[str, float] | None:
    """How well the discriminator told real from generated, and classes, at the end of training."""
    for path in manifest_files(folder, "gan"):
        final = json.loads((path.parent / "summary.json").read_text()).get("final", {})
        wanted = {"source_accuracy", "class_accuracy"}
        return {name: value for name, value in final.items() if name in wanted} or None
    return None


def confused(folder: Path) -> list[dict[str, Any]]:
    """The pairs of classes that arm `real` confuses most, as shares of the true class."""
    for path in manifest_files(folder, "evaluation"):
        artifact = Artifact(path.parent, Manifest.model_validate_json(path.read_bytes()))
        if artifact.json("arm.json")["arm"] != "real":
            continue
        classes = artifact.json("classes.json")
        counts = np.array(artifact.json("metrics.json")["confusion"]["mean"])
        shares = counts / counts.sum(axis=1, keepdims=True)
        np.fill_diagonal(shares, 0)
        order = np.argsort(-shares, axis=None)[:CONFUSED]
        return [
            {"true": classes[row], "predicted": classes[column], "share": round(found, 4)}
            for row, column in zip(*np.unravel_index(order, shares.shape), strict=True)
            if (found := float(shares[row, column]))
        ]
    return []


def manifest_files(folder: Path, kind: str = "") -> Iterator[Path]:
    """The manifests of the artifacts of a run, of one kind or of all."""
    for path in sorted((folder / "artifacts").rglob(MANIFEST)):
        if not kind or json.loads(path.read_text())["kind"] == kind:
            yield path


def total(costs: list[dict[str, Any]]) -> dict[str, Any]:
    """The costs of all levels together."""
    return {name: round(sum(item[name] for item in costs), 1) for name in costs[0]}


def command(preset: str, record: dict[str, Any]) -> str:
    """The command that makes the same again; folders are only called FOLDER."""
    words = ["make", "study", f"PRESET={preset}"]
    source = nowhere(record["parameters"]["source"])
    if source != "sample":
        words.append(f"SOURCE={source}")
    sets = record["parameters"].get("sets", ())
    if imported := [f"{it['set']}={nowhere(it['source'])}" for it in sets if it.get("source")]:
        words.append(f"SYNTHETIC={shlex.quote(' '.join(imported))}")
    if "level" in (record.get("changed") or {}) and not record.get("levels"):
        words.append(f"LEVEL={record['parameters']['level']}")
    return " ".join(words)


def nowhere(value: Any) -> Any:
    """A value, or what is in it, without the folders of this machine."""
    if isinstance(value, dict):
        return {name: nowhere(item) for name, item in value.items()}
    if isinstance(value, list):
        return [nowhere(item) for item in value]
    return "file://FOLDER" if isinstance(value, str) and value.startswith("file:") else value


def main(arguments: list[str]) -> int:
    """Collect, write, and say where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset")
    parser.add_argument("--runs-dir", type=Path, default=ROOT / "runs")
    parser.add_argument("--out", type=Path, default=ROOT / "results")
    parser.add_argument("--run", type=int, help="of several studies with that preset, this one")
    parser.add_argument("--name", help="of the file, if it is not the preset's")
    parser.add_argument("--note", help="what a reader of the page must know, in a sentence")
    options = parser.parse_args(arguments)
    try:
        found = collect(options.runs_dir, options.preset, options.run)
    except AugstudyError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.note:
        found["note"] = options.note
    options.out.mkdir(exist_ok=True)
    target = options.out / f"{options.name or options.preset}.json"
    target.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    print(f"{target}: {len(found['levels'])} level(s). Now: make docs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
