"""Data that is surely wrong is warned about, by ingest and in the report; other data is not."""

import io
import json
import logging
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from studies import build_study

from augstudy.core import artifacts
from augstudy.data.suspicions import suspicions
from augstudy.pages.suspicions import sentence
from augstudy.results import files
from augstudy.settings.data import MAMMALS, DataSettings
from augstudy.settings.spec import DRAWING, ImageSpec
from augstudy.steps import ingest, summarize

COUNTS = {"train_per_class": 20, "val_per_class": 5, "test_per_class": 5}


def drawings(*names: str) -> dict[str, np.ndarray]:
    packed = resources.files("augstudy.data").joinpath("sample/mammals.npz").read_bytes()
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        return {name: stored[name].copy() for name in names}


def ingested(tmp_path: Path, arrays: dict[str, np.ndarray], behind: bytes = b"") -> list[dict]:
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    if behind:
        with (tmp_path / "lion.npy").open("ab") as stream:
            stream.write(behind)
    settings = DataSettings(source=f"file://{tmp_path}", classes=tuple(arrays), **COUNTS)
    made = ingest.run(tmp_path / "out", settings)
    return made.json("data_report.json").get("suspicions", [])


def framed(array: np.ndarray) -> np.ndarray:
    """With a bright edge, as a scanner leaves it."""
    array.reshape(-1, 28, 28)[:, :2] = 255
    return array


CASES = {
    "all inverted": (lambda it: {name: 255 - array for name, array in it.items()}, {"inverted"}),
    "one inverted": (lambda it: it | {"lion": 255 - it["lion"]}, {"inverted", "separable"}),
    "values 0 and 1": (lambda it: {k: (v > 127).astype(np.uint8) for k, v in it.items()}, {"dark"}),
    "values to 15": (lambda it: {name: array // 17 for name, array in it.items()}, {"dark"}),
    "one class dark": (lambda it: it | {"lion": it["lion"] // 17}, {"dark", "separable"}),
    "a mark on one": (lambda it: it | {"lion": framed(it["lion"])}, {"separable"}),
    "as they are": (lambda it: it, set()),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_surely_wrong_is_warned_about(case: str, tmp_path: Path, caplog) -> None:
    change, expected = CASES[case]
    with caplog.at_level(logging.WARNING, "augstudy"):
        found = ingested(tmp_path, change(drawings("lion", "zebra", "cow")))
    assert {item["code"] for item in found} == expected
    for item in found:
        assert sentence(item) in caplog.text
        if case.startswith(("one", "a mark")):
            assert item["classes"] == ["lion"]
    assert bool(caplog.records) == bool(expected)


@pytest.mark.parametrize("behind", [b"x", bytes(784), None])
def test_bytes_behind_the_array_are_warned_about(behind, tmp_path: Path, caplog) -> None:
    arrays = drawings("lion", "cow")
    if behind is None:  # a second array in the file
        buffer = io.BytesIO()
        np.save(buffer, arrays["lion"])
        behind = buffer.getvalue()
    (found,) = ingested(tmp_path, arrays, behind)
    assert found == {"code": "left_over", "classes": ["lion"], "bytes": len(behind)}
    assert f"{len(behind):,} bytes behind the images" in caplog.text


def test_nothing_is_suspected_of_the_sample(tmp_path: Path) -> None:
    made = ingest.run(tmp_path / "out", DataSettings(classes=MAMMALS))
    assert "suspicions" not in made.json("data_report.json")


def test_few_images_are_not_suspected_because_chance_separates_them() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 9)
    images = generator.integers(100, 255, (180, 8, 8), np.uint8)
    assert suspicions(images, labels, [str(it) for it in range(20)], DRAWING) == [
        {
            "code": "inverted",
            "classes": [str(it) for it in range(20)],
            "mean_ink": pytest.approx(0.7, abs=0.05),
        }
    ]


@pytest.mark.parametrize("figure", ["red", "brightness", "contrast", "edge", "pixel"])
def test_of_photos_one_number_that_tells_a_class_is_named(figure: str) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(60, 180, (90, 16, 16, 3)).astype(np.uint8)
    images += generator.integers(0, 40, (90, 1, 1, 3)).astype(np.uint8)
    labels = np.repeat([0, 1, 2], 30)
    spec = ImageSpec(16, 16, 3, None)
    assert suspicions(images, labels, "abc", spec) == []
    change = {
        "red": lambda it: it - np.array([50, -25, -25]),
        "brightness": lambda it: it + 35,
        "contrast": lambda it: np.clip((it - 120.0) * 2 + 120, 0, 255),
        "pixel": lambda it: np.where(np.eye(16)[None, ..., None] > 0, 255, it),
        "edge": lambda it: np.pad(it[:, 1:-1, 1:-1], [(0, 0), (1, 1), (1, 1), (0, 0)]),
    }[figure]
    images[labels == 1] = change(images[labels == 1].astype(int)).astype(np.uint8)
    found = suspicions(images, labels, "abc", spec)
    assert [item["code"] for item in found] == ["separable"] and found[0]["classes"] == ["b"]


def test_the_report_of_a_study_warns_as_well(tmp_path: Path) -> None:
    built = build_study(tmp_path / "study")
    told = {"code": "left_over", "classes": ["cow"], "bytes": 7}
    source = artifacts.read(built["dataset"])
    report = source.json("data_report.json") | {"suspicions": [told]}
    source.file("data_report.json").write_text(json.dumps(report))
    with artifacts.publish(tmp_path / "again", "dataset", config=source.manifest.config) as draft:
        for name in source.manifest.files:
            (draft / name).write_bytes((source.path / name).read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("augstudy.results.material._check", lambda *_: None)
        done = summarize.run(out=tmp_path / "report", **built | {"dataset": tmp_path / "again"})
    assert list(files.summary(done.json("summary.json")).data.suspicions) == [told]
    for name in ("verdict.md", "report.html"):
        assert "7 bytes behind the images" in done.file(name).read_text()
