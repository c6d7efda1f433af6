"""Runs that have come far enough to have a record, for tests of the tracker."""

import json
from pathlib import Path

from builders import build_classifier
from found import arm, study
from studies import build_study

from augstudy.core import artifacts
from augstudy.local.runfolder import RunFolder
from augstudy.results import files
from augstudy.results.material import gather
from augstudy.results.study import summarise

CLASSES = ("cow", "horse", "tiger", "zebra")
SETTINGS = {"source": "sample", "level": 30, "classifier": "modern"}


def summary(accuracy: float = 0.8) -> dict:
    """What a finished study says."""
    arms = {"real": arm(accuracy=accuracy), "add:1": arm("add", accuracy=accuracy)}
    return study(arms).model_dump(mode="json")


def add(runs: Path, accuracy: float | None = None) -> RunFolder:
    """A run, finished if it has an accuracy."""
    folder = RunFolder.create(runs, "augmentation_study", SETTINGS, note="", preset="quick")
    if accuracy is not None:
        (folder.path / "summary.json").write_text(json.dumps(summary(accuracy)))
        folder.finish("done", 12.0, cpu_s=20.0, gpu_s=0.0)
    return folder


def build_run(runs: Path, arms, seeds=(0, 1, 2), settings=None, margin=0.01, **sizes) -> Path:
    """A finished study of real artifacts, without any training or drawing; its folder."""
    values = SETTINGS | {"arms": [{"arm": arm} for arm, *_ in arms]} | (settings or {})
    folder = RunFolder.create(runs, "augmentation_study", values, note="", preset="quick")
    leave(folder.root / "study", arms, seeds, margin, **sizes)
    folder.collect_report()
    folder.finish("done", 60.0, cpu_s=90.0, gpu_s=0.0)
    return folder.path


def leave(root: Path, arms, seeds=(0, 1, 2), margin=0.01, **sizes) -> None:
    """The artifacts of a study, as its steps leave them under `root`."""
    parts = build_study(root, arms, seeds, **{"classes": CLASSES, "test": 30} | sizes)
    build_classifier(root / "cells" / "classifier", artifacts.read(parts["dataset"]), seeds)
    material = gather(left_out={}, **parts)
    with artifacts.publish(root / "summarize" / "report", "report") as draft:
        files.write(draft, summarise(material, margin))
        (draft / "report.html").write_text("<p>A report</p>")
        (draft / "verdict.md").write_text("## It helps.\n")
