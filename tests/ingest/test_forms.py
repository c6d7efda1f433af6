"""One set of images in every form that a source can have gives one dataset."""

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingest.pictures import class_folders, pixels
from servers import GcsServer, S3Bucket

from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError, InputError
from augstudy.data.dataset import load_classes, load_spec, load_split
from augstudy.data.sources import archives
from augstudy.settings.data import DataSettings
from augstudy.steps import ingest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Unequal classes of images, in train and test."""
    root = tmp_path / "forms" / "folder"
    class_folders(root / "train", {"alarm clock": 9, "bee": 14}, height=12, width=16)
    class_folders(root / "test", {"alarm clock": 4, "bee": 3}, 500, height=12, width=16)
    return root


def files_of(folder: Path) -> dict[str, bytes]:
    """Content by path, in no useful order."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in reversed(found)}


def made(source: object, tmp_path: Path, **changes: object) -> Artifact:
    out = tmp_path / "made" / str(len(list(tmp_path.glob("made/*"))))
    return ingest.run(out, DataSettings.model_validate({"source": str(source)} | changes))


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files_of(folder).items():
            archive.writestr(f"photos/{name}", content)
        archive.writestr("__MACOSX/photos/._x", b"x")
    return target


def tarred(folder: Path, target: Path) -> Path:
    kind = target.suffix.removeprefix(".").replace("tgz", "gz")
    with tarfile.open(target, "w" if kind == "tar" else f"w:{kind}") as archive:  # type: ignore[call-overload]
        archive.add(folder, arcname=".")
    return target


def as_parquet(folder: Path, target: Path) -> Path:
    """Two shards per split, in small groups of rows, as the Hugging Face Hub has them."""
    target.mkdir()
    names = ["bee", "alarm clock"]
    label = {"names": names, "_type": "ClassLabel"}
    features = {"image": {"_type": "Image"}, "label": label}
    for split in ("train", "test"):
        rows = [
            {"image": {"bytes": content, "path": Path(name).name}, "label": names.index(owner)}
            for name, content in files_of(folder).items()
            for side, owner, _ in [name.split("/")]
            if side == split
        ]
        for shard, part in enumerate((rows[::2], rows[1::2])):
            table = pa.Table.from_pylist(part).replace_schema_metadata(
                {"huggingface": json.dumps({"info": {"features": features}})}
            )
            path = target / f"{split}-{shard:05}-of-00002.parquet"
            pq.write_table(table, path, row_group_size=3)
    return target


def as_table(folder: Path, target: Path) -> Path:
    lines = ["split;label;path"]
    for name in files_of(folder):
        split, label, _ = name.split("/")
        lines.append(f'{split};"{label}";{folder.name}\\{name}'.replace("/", "\\"))
    target.write_text("\r\n".join(lines), encoding="utf-8-sig")
    return target


FORMS: dict[str, Callable[[Path, Path], Path]] = {
    "x.zip": zipped,
    "x.tar": tarred,
    "x.tar.gz": tarred,
    "x.tgz": tarred,
    "x.tar.xz": tarred,
    "parquet": as_parquet,
    "x.csv": as_table,
}


def test_every_form_gives_the_same_dataset(
    folder: Path, gcs: GcsServer, s3: S3Bucket, tmp_path: Path
) -> None:
    for name, content in files_of(folder).items():
        gcs.put("art", f"some/photos/{name}", content)
        s3.put(f"photos/{name}", content)
    sources = [folder, f"file://{folder}", "gs://art/some/photos", f"s3://{s3.name}/photos"]
    sources += [form(folder, folder.parent / name) for name, form in FORMS.items()]
    gcs.put("art", "x.zip", (folder.parent / "x.zip").read_bytes())
    hashes = {str(source): made(source, tmp_path).content_hash for source in sources}
    hashes["gs://art/x.zip"] = made("gs://art/x.zip", tmp_path).content_hash
    assert len(set(hashes.values())) == 1, hashes


def test_a_second_run_makes_no_request(
    folder: Path, gcs: GcsServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, content in files_of(folder).items():
        gcs.put("art", f"photos/{name}", content)
    gcs.put("art", "x.tar", tarred(folder, tmp_path / "x.tar").read_bytes())
    for source in ("gs://art/photos", "gs://art/x.tar"):
        first = made(source, tmp_path)
        assert gcs.requests["media"] <= 30
        gcs.reset_counts()
        caplog.clear()
        with caplog.at_level("INFO"):
            second = made(source, tmp_path)
        assert second.content_hash == first.content_hash
        assert not gcs.requests


def test_an_image_that_was_replaced_is_read_again(gcs: GcsServer, tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "in", {"ant": 50, "bee": 50})
    for name, content in files_of(folder).items():
        gcs.put("art", f"photos/{name}", content)
    counts = {"train_per_class": 3, "val_per_class": 2, "test_per_class": 2}
    made("gs://art/photos", tmp_path, **counts)  # half of the images are in the cache now
    class_folders(folder, {"bee": 50}, 900)
    for path in (folder / "bee").iterdir():
        gcs.put("art", f"photos/bee/{path.name}", path.read_bytes())
    again = made("gs://art/photos", tmp_path)
    assert again.content_hash == made(folder, tmp_path).content_hash


def test_transient_failures_of_single_images_are_retried(
    folder: Path, gcs: GcsServer, tmp_path: Path
) -> None:
    for name, content in files_of(folder).items():
        gcs.put("art", f"photos/{name}", content)
    gcs.fail("media", 503, 5)
    assert made("gs://art/photos", tmp_path).content_hash == made(folder, tmp_path).content_hash


def test_many_small_objects_are_fetched_side_by_side(gcs: GcsServer, tmp_path: Path) -> None:
    root = class_folders(tmp_path / "in", {"ant": 200, "bee": 200})
    for name, content in files_of(root).items():
        gcs.put("art", f"small/{name}", content)
    gcs.delay = 0.05
    asked, most = 0, 0
    answer = gcs.answer

    def counted(request: object) -> None:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        answer(request)  # type: ignore[arg-type]
        asked -= 1

    gcs.answer = counted  # type: ignore[method-assign, assignment]
    made("gs://art/small", tmp_path, image_settings={"near_copies": False})
    assert 16 <= most <= 40


@pytest.mark.parametrize("kind", ["npz", "npz of splits", "idx", "idx.gz"])
def test_arrays_of_pixels(kind: str, tmp_path: Path) -> None:
    images = np.stack([pixels(at, 28, 28, 1) for at in range(40)])
    labels = np.arange(40) % 2
    source = tmp_path / "arrays"
    source.mkdir()
    parts = {"train": slice(0, 30), "test": slice(30, 40)}
    if kind == "npz":
        source = source / "x.npz"
        np.savez(
            source, images=images / np.float32(255), labels=labels, class_names=["odd", "even"]
        )
    elif kind == "npz of splits":
        arrays = {f"x_{name}": images[part].reshape(-1, 784) for name, part in parts.items()}
        labelled = {f"y_{name}": labels[part, None] for name, part in parts.items()}
        np.savez(source / "x.npz", **arrays, **labelled)  # type: ignore[arg-type]
    else:
        write_idx(source, images, labels, kind.removeprefix("idx"))
    dataset = made(source, tmp_path, image_settings={"near_copies": False})
    assert load_classes(dataset) == (["even", "odd"] if kind == "npz" else ["0", "1"])
    assert load_spec(dataset).shape == (28, 28, 1)
    test = load_split(dataset, "test")
    assert len(test) == (8 if kind == "npz" else 10)
    names = load_classes(dataset)
    for image, label, row in zip(test.images, test.labels, test.rows, strict=True):
        own = np.flatnonzero(labels == (1 - label if kind == "npz" else label))
        # Rows count the images of a class, those of test before those of train.
        order = own if kind == "npz" else np.concatenate([own[own >= 30], own[own < 30]])
        np.testing.assert_array_equal(image, images[order[row]], err_msg=names[label])


def write_idx(folder: Path, images: np.ndarray, labels: np.ndarray, ending: str) -> None:
    import gzip

    for split, part in (("train", slice(0, 30)), ("t10k", slice(30, 40))):
        for what, array in (("images-idx3", images[part]), ("labels-idx1", labels[part])):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            content = head + array.astype(np.uint8).tobytes()
            content = gzip.compress(content) if ending else content
            (folder / f"{split}-{what}-ubyte{ending}").write_bytes(content)


def test_drawings_in_an_archive_are_read_as_in_a_folder(drawings: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("cat", "dog"):
            archive.write(drawings / f"{name}.npy", f"{name}.npy")
    wanted = {"classes": ["cat", "dog"], "train_per_class": 30}
    wanted |= {"val_per_class": 10, "test_per_class": 10}
    packed = made(tmp_path / "x.zip", tmp_path, **wanted)
    assert packed.content_hash == made(f"file://{drawings}", tmp_path, **wanted).content_hash


def test_a_table_beside_images_is_read_with_its_groups(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "in", {"images": 30})
    rows = ["file_name,label,group"]
    rows += [f"images/{at:04}.png,{'no' if at % 3 else 'yes'},p{at // 3}" for at in range(30)]
    (source / "metadata.csv").write_text("\n".join(rows))
    dataset = made(source, tmp_path)
    assert load_classes(dataset) == ["no", "yes"]
    sides = [load_split(dataset, name).groups for name in ("train", "val", "test")]
    assert all(side is not None and len(side) for side in sides)
    owners = [set(side.tolist()) for side in sides if side is not None]
    assert len(set.union(*owners)) == sum(map(len, owners)) == 10


def accuracy_of_the_nearest(dataset: Artifact) -> float:
    """Of the class of the training image that is nearest to each test image."""
    train, test = (load_split(dataset, name) for name in ("train", "test"))
    a, b = (split.images.reshape(len(split), -1).astype(float) for split in (test, train))
    distances = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)
    return float((train.labels[distances.argmin(axis=1)] == test.labels).mean())


def test_what_is_a_property_of_groups_is_learnt_only_without_them(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    content = io.BytesIO()
    groups = np.repeat(np.arange(60), 10)
    images = np.stack([pixels(1000 + group) for group in groups]).astype(int)
    images = np.clip(images + random.normal(0, 12, images.shape), 0, 255).astype(np.uint8)
    labels = random.integers(0, 2, 60)[groups]
    np.savez(content, images=images, labels=labels, groups=groups)
    (tmp_path / "with.npz").write_bytes(content.getvalue())
    np.savez(tmp_path / "without.npz", images=images, labels=labels)
    alone = {"image_settings": {"near_copies": False}}
    assert accuracy_of_the_nearest(made(tmp_path / "without.npz", tmp_path, **alone)) > 0.95
    assert 0.3 < accuracy_of_the_nearest(made(tmp_path / "with.npz", tmp_path, **alone)) < 0.7


def zeros_zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("ant/1.png", "bee/1.png"):
            archive.writestr(name, bytes(500_000))


def zeros_tarred(path: Path) -> None:
    content = path.with_name("content")
    content.write_bytes(bytes(500_000))
    with tarfile.open(path, "w:gz") as archive:
        archive.add(content, "ant/1.png")


PACKED = {
    "all.zip": zeros_zipped,
    "all.tar.gz": zeros_tarred,
    "all.npz": lambda path: np.savez_compressed(
        path, images=np.zeros((600, 28, 28), np.uint8), labels=np.arange(600) % 2
    ),
}


@pytest.mark.parametrize("name", PACKED)
def test_what_would_fill_the_memory_is_not_unpacked(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PACKED[name](tmp_path / name)
    wanted = DataSettings(source=str(tmp_path / name))
    # As it is, all of it is read: no file is an image, or all images are equal.
    with pytest.raises((DataError, InputError), match=r"^(?!.* grows )"):
        ingest.run(tmp_path / "small", wanted)
    monkeypatch.setattr(archives, "_SMALL", 10_000)
    with pytest.raises(DataError, match=r"all\.\S+ grows more than 50 times"):
        ingest.run(tmp_path / "large", wanted)
