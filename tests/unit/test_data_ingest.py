"""The ingest stage from end to end, against real files and real servers on loopback."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from servers import GcsServer, S3Bucket

from augstudy.core import artifacts
from augstudy.core.errors import DataError, InputError, ServiceError
from augstudy.data import ranges
from augstudy.data.dataset import SPLITS, load_classes, load_split
from augstudy.data.reading import read_images
from augstudy.objects import retry
from augstudy.settings.data import MAMMALS, DataSettings
from augstudy.steps import ingest

CLASSES = ["alarm clock", "camel", "cat"]


def settings(source: str, **changes: object) -> DataSettings:
    values = {
        "source": source,
        "classes": tuple(CLASSES),
        "train_per_class": 60,
        "val_per_class": 20,
        "test_per_class": 20,
    }
    return DataSettings.model_validate(values | changes)


@pytest.fixture
def gs(gcs: GcsServer, drawings: Path) -> str:
    gcs.put_folder("art", "full/bitmap", drawings, CLASSES)
    return "gs://art/full/bitmap"


def test_the_same_drawings_give_the_same_dataset_from_every_source(
    gs: str, s3: S3Bucket, drawings: Path, tmp_path: Path
) -> None:
    for name in CLASSES:
        s3.put(f"full/bitmap/{name}.npy", (drawings / f"{name}.npy").read_bytes())
    sources = {
        "file": f"file://{drawings}",
        "gs": gs,
        "s3": f"s3://{s3.name}/full/bitmap",
    }
    made = {name: ingest.run(tmp_path / name, settings(uri)) for name, uri in sources.items()}
    assert len({artifact.content_hash for artifact in made.values()}) == 1
    origin = made["gs"].manifest.provenance
    assert origin["source"] == gs
    clock = origin["classes"]["alarm clock"]
    assert clock["object"] == f"{gs}/alarm clock.npy"
    assert clock["version"] == "1001"
    assert sum(stop - start for start, stop in clock["byte_ranges"]) == 116 * 784


def test_dataset_holds_what_the_settings_ask_for(drawings: Path, tmp_path: Path) -> None:
    made = ingest.run(tmp_path / "data", settings(f"file://{drawings}", level=25))
    assert load_classes(made) == CLASSES
    for name, count in {"train": 25, "extra": 35, "val": 20, "test": 20}.items():
        split = load_split(made, name)
        assert split.images.shape == (3 * count, 28, 28)
        assert split.images.dtype == np.uint8
        assert split.labels.tolist() == sorted([0, 1, 2] * count)
        for label, class_name in enumerate(CLASSES):
            original = np.load(drawings / f"{class_name}.npy").reshape(-1, 28, 28)
            mine = split.labels == label
            np.testing.assert_array_equal(split.images[mine], original[split.rows[mine]])


def test_data_report_adds_up(drawings: Path, tmp_path: Path) -> None:
    made = ingest.run(tmp_path / "data", settings(f"file://{drawings}"))
    report = made.json("data_report.json")
    assert report["total"] == {
        "read": 3 * 116,
        "train": 180,
        "extra": 0,
        "val": 60,
        "test": 60,
        "dropped": 0,
        "unreadable": 0,
    }
    assert sum(report["ink_share"]["counts"]) == 300
    images = np.concatenate([load_split(made, name).images for name in SPLITS])
    assert sum(report["pixel_value"]["counts"]) == np.count_nonzero(images)
    assert report["classes"]["cat"]["available"] == 4959
    assert report["mean_ink"] == pytest.approx(images.mean() / 255, abs=1e-6)


def test_all_drawings_that_are_left_over_are_tested_on(drawings: Path, tmp_path: Path) -> None:
    wanted = settings(f"file://{drawings}", train_per_class=254, val_per_class=84)
    everything = wanted.model_copy(update={"test_per_class": 0, "classes": ("camel", "zebra")})
    made = ingest.run(tmp_path / "data", everything)
    report = made.json("data_report.json")["classes"]
    fewest = min(item["available"] - sum(item["dropped"].values()) for item in report.values())
    assert np.bincount(load_split(made, "test").labels).tolist() == [fewest - 254 - 84] * 2


def test_default_settings_use_every_drawing_of_the_sample(tmp_path: Path) -> None:
    made = ingest.run(tmp_path / "data", DataSettings())
    assert load_classes(made) == list(MAMMALS)
    assert [len(load_split(made, name)) for name in SPLITS] == [660, 0, 220, 220]
    assert made.json("data_report.json")["classes"]["zebra"]["unused"] == 0


def test_bytes_received_stay_near_the_bytes_needed(
    gcs: GcsServer, drawings: Path, tmp_path: Path
) -> None:
    gcs.put_folder("art", "full", drawings, ["cat", "rainbow"])
    wanted = settings("gs://art/full", classes=("cat", "rainbow"), train_per_class=1000)
    ingest.run(tmp_path / "data", wanted)
    needed = 2 * (1000 + 20 + 20) * 784
    assert needed <= sum(gcs.sent.values()) <= 1.1 * needed + 2 * 64 * 1024
    assert gcs.requests["media"] <= 2 * (1 + 64)


def test_a_second_run_makes_no_request(
    gcs: GcsServer, gs: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = ingest.run(tmp_path / "one", settings(gs))
    gcs.reset_counts()
    with caplog.at_level(logging.INFO):
        second = ingest.run(tmp_path / "two", settings(gs))
    assert second.content_hash == first.content_hash
    assert not gcs.requests
    assert "came from the cache" in caplog.text
    assert "refresh" in caplog.text


def test_a_finished_dataset_is_not_made_again(
    gcs: GcsServer, gs: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = ingest.run(tmp_path / "data", settings(gs), cache=tmp_path / "cache")
    gcs.reset_counts()
    with caplog.at_level(logging.INFO):
        again = ingest.run(tmp_path / "data", settings(gs), cache=tmp_path / "another cache")
    assert again.content_hash == first.content_hash
    assert not gcs.requests
    assert "already done" in caplog.text


def test_refresh_reads_only_what_changed(
    gcs: GcsServer, gs: str, drawings: Path, tmp_path: Path
) -> None:
    ingest.run(tmp_path / "one", settings(gs))
    gcs.put_folder("art", "full/bitmap", drawings, ["camel"])
    gcs.reset_counts()
    ingest.run(tmp_path / "two", settings(gs), refresh=True)
    assert gcs.requests["stat"] == 3
    assert gcs.sent["media"] == 128 + 116 * 784
    gcs.reset_counts()
    ingest.run(tmp_path / "three", settings(gs))
    assert not gcs.requests


def test_an_object_replaced_after_it_was_cached_is_read_again(
    gcs: GcsServer, gs: str, drawings: Path, tmp_path: Path
) -> None:
    ingest.run(tmp_path / "one", settings(gs))
    gcs.put_folder("art", "full/bitmap", drawings, ["camel"])
    more = settings(gs, train_per_class=100)
    made = ingest.run(tmp_path / "two", more)
    local = ingest.run(tmp_path / "local", settings(f"file://{drawings}", train_per_class=100))
    assert made.content_hash == local.content_hash
    assert made.manifest.provenance["classes"]["camel"]["version"] == "1004"


def test_transient_failures_are_retried(
    gcs: GcsServer, gs: str, drawings: Path, tmp_path: Path
) -> None:
    gcs.fail("stat", 503, 2)
    gcs.fail("media", 429, 3)
    gcs.cut(2)
    made = ingest.run(tmp_path / "gs", settings(gs))
    local = ingest.run(tmp_path / "local", settings(f"file://{drawings}"))
    assert made.content_hash == local.content_hash
    assert gcs.requests["stat"] == 3 + 2


def test_a_service_that_keeps_failing_is_given_up(gcs: GcsServer, gs: str, tmp_path: Path) -> None:
    gcs.fail("stat", 503, 100)
    with pytest.raises(ServiceError, match="answered 503; tried 6 times"):
        read_images(settings(gs, classes=("camel", "cat")))
    assert gcs.requests["stat"] == 2 * retry.ATTEMPTS
    assert not (tmp_path / "data").exists()


def test_an_object_that_changes_while_it_is_read_is_refused(
    gcs: GcsServer, gs: str, drawings: Path, tmp_path: Path
) -> None:
    gcs.change_at(5, "art", "full/bitmap/cat.npy", (drawings / "dog.npy").read_bytes())
    with pytest.raises(DataError, match=r"cat\.npy changed while it was being read"):
        ingest.run(tmp_path / "data", settings(gs, classes=("camel", "cat")))
    assert not (tmp_path / "data").exists()
    made = ingest.run(tmp_path / "data", settings(gs, classes=("camel", "cat")))
    rows = load_split(made, "test").rows[-20:]
    dog = np.load(drawings / "dog.npy").reshape(-1, 28, 28)
    np.testing.assert_array_equal(load_split(made, "test").images[-20:], dog[rows])


def once_the_header_is_read(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Call `change` between the header of cat.npy and its drawings."""
    read_header, once = ranges.read_header, iter([change])

    def then_change(read: Any, size: int, uri: str) -> Any:
        header = read_header(read, size, uri)
        if uri.endswith("cat.npy"):
            next(once, str)()
        return header

    monkeypatch.setattr(ranges, "read_header", then_change)


def test_an_s3_object_that_changes_while_it_is_read_is_refused(
    s3: S3Bucket, drawings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("camel", "cat"):
        s3.put(f"{name}.npy", (drawings / f"{name}.npy").read_bytes())
    wanted = settings(f"s3://{s3.name}", classes=("camel", "cat"))
    other = (drawings / "dog.npy").read_bytes()
    once_the_header_is_read(monkeypatch, lambda: s3.put("cat.npy", other))
    with pytest.raises(DataError, match=r"cat\.npy changed while it was being read"):
        read_images(wanted)
    cat = read_images(wanted).classes["cat"]  # nothing of the mixture was cached
    dog = np.load(drawings / "dog.npy").reshape(-1, 28, 28)
    np.testing.assert_array_equal(cat.images, dog[cat.rows])


def test_a_file_that_changes_while_it_is_read_is_refused(
    drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("camel", "cat"):
        (tmp_path / f"{name}.npy").write_bytes((drawings / f"{name}.npy").read_bytes())
    wanted = settings(f"file://{tmp_path}", classes=("camel", "cat"))
    other = (drawings / "dog.npy").read_bytes()
    once_the_header_is_read(monkeypatch, lambda: (tmp_path / "cat.npy").write_bytes(other))
    with pytest.raises(DataError, match=r"cat\.npy changed while it was being read"):
        read_images(wanted)


def test_too_few_drawings_are_counted(drawings: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"camel\.npy holds 424 images.* lower them by 116"):
        ingest.run(tmp_path / "data", settings(f"file://{drawings}", train_per_class=500))


def test_blank_and_repeated_drawings_are_replaced_from_the_rest(
    drawings: Path, tmp_path: Path
) -> None:
    cats = np.load(drawings / "cat.npy")[:1000].copy()
    cats[::3] = 0
    cats[1::3] = cats[1]
    np.save(tmp_path / "cat.npy", cats)
    np.save(tmp_path / "dog.npy", np.load(drawings / "dog.npy")[:1000])
    wanted = settings(f"file://{tmp_path}", classes=("cat", "dog"))
    made = ingest.run(tmp_path / "data", wanted)
    report = made.json("data_report.json")["classes"]["cat"]
    assert report["dropped"]["blank"] > 100
    assert (report["train"], report["val"], report["test"]) == (60, 20, 20)
    with pytest.raises(InputError, match=r"gave 334 usable images \(334 blank, 332 repeated"):
        ingest.run(
            tmp_path / "more", settings(wanted.source, classes=("cat", "dog"), train_per_class=300)
        )


def test_full_disk_while_publishing(drawings: Path, tiny_disk: Path) -> None:
    with pytest.raises(ServiceError, match=r"No space left while writing .*/data"):
        ingest.run(tiny_disk / "data", settings(f"file://{drawings}"))
    assert list(tiny_disk.iterdir()) == []


def test_full_disk_while_caching(gs: str, tiny_disk: Path, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="No space left in the cache"):
        ingest.run(tmp_path / "data", settings(gs), cache=tiny_disk)
    assert not (tmp_path / "data").exists()


def test_progress_reaches_the_event_file(
    drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGSTUDY_EVENTS", str(tmp_path / "events"))
    ingest.run(tmp_path / "data", settings(f"file://{drawings}"))
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    last = [event for event in events if event["event"] == "progress"][-1]
    assert last["done"] == last["total"] == 3 * 116 * 784


def test_dataset_of_another_shape_is_refused(drawings: Path, tmp_path: Path) -> None:
    made = ingest.run(tmp_path / "data", settings(f"file://{drawings}"))
    with artifacts.publish(tmp_path / "odd", "dataset") as folder:
        for part in ("images", "labels", "rows"):
            array = np.load(made.file(f"val_{part}.npy"))
            np.save(folder / f"val_{part}.npy", array.astype(float) if part == "images" else array)
    with pytest.raises(DataError, match=r"val_images\.npy holds float64"):
        load_split(artifacts.read(tmp_path / "odd", "dataset"), "val")
