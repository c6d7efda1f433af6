"""The tracker of a bucket, on a Cloud Storage server on loopback and in a folder."""

import json
from pathlib import Path

import pytest
from recorded import summary
from servers import GcsServer

from augstudy.core.artifacts import MANIFEST
from augstudy.objects import Store, open_store
from augstudy.runs import index
from augstudy.runs.bucket import INDEX, Bucket
from augstudy.runs.folder import RECORD


def put(store: Store, run: str, accuracy: float, read_at: str, attempt: str = "1f2e") -> None:
    """What a finished study leaves in the bucket."""
    report = f"{run}/summarize/{attempt}/report"
    store.write(f"{report}/summary.json", json.dumps(summary(accuracy)).encode())
    store.write(f"{report}/{MANIFEST}", b"{}")
    manifest = {"provenance": {"read_at": read_at}}
    store.write(f"{run}/ingest/1/dataset/{MANIFEST}", json.dumps(manifest).encode())


@pytest.fixture
def store(gcs: GcsServer) -> Store:
    """Two runs, the later one first by name."""
    opened = open_store("gs://artifacts/kfp")
    gcs.put("artifacts", "kfp/other", b"")
    put(opened, "study/aaaa", 0.7, "2026-11-02T10:00:00+00:00")
    put(opened, "study/bbbb", 0.8, "2026-11-01T10:00:00+00:00")
    return opened


def numbers(store: Store) -> dict[str, int]:
    return {record["key"]: record["id"] for record in Bucket(store).records()}


def test_records_are_made_from_the_artifacts(store: Store) -> None:
    assert Bucket(store).records() == []
    assert Bucket(store).rebuild() == 2
    first, second = Bucket(store).records()
    assert (first["id"], first["key"], first["date"]) == (1, "study/bbbb", "2026-11-01 10:00:00")
    assert (second["id"], second["arms"][0]["accuracy"], second["where"]) == (2, 0.7, "cluster")
    assert json.loads(store.read(f"study/bbbb/{RECORD}")) == first


def test_numbers_stay(store: Store) -> None:
    """New runs get the next ones even if they are older, and a lost index is no loss."""
    Bucket(store).rebuild()
    Bucket(store).note("study/bbbb", "good")
    put(store, "study/0000", 0.9, "2026-10-01T10:00:00+00:00")
    Bucket(store).rebuild()
    kept = {"study/bbbb": 1, "study/aaaa": 2, "study/0000": 3}
    assert numbers(store) == kept
    before = Bucket(store).records()
    store.write(INDEX, b"rubbish")
    Bucket(store).rebuild()
    assert Bucket(store).records() == before
    assert before[0]["note"] == "good"


def test_a_lost_index_is_made_again_as_it_was(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}")
    put(store, "study/bbbb", 0.8, "2026-11-01T10:00:00+00:00")
    Bucket(store).rebuild()
    put(store, "study/aaaa", 0.7, "2026-10-01T10:00:00+00:00")
    Bucket(store).rebuild()
    before = Bucket(store).records()
    assert [record["key"] for record in before] == ["study/bbbb", "study/aaaa"]
    (tmp_path / INDEX).unlink()
    Bucket(store).rebuild()
    assert Bucket(store).records() == before


def test_two_at_once_give_no_number_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else adds a run between our look at the index and our writing it."""
    Bucket(store).rebuild()
    put(store, "study/cccc", 0.5, "2026-11-03T10:00:00+00:00")
    real, meanwhile = Store.replace, ["study/dddd"]

    def replace(self: Store, key: str, data: bytes, version: str = "") -> None:
        if meanwhile:
            put(store, meanwhile.pop(), 0.6, "2026-11-02T20:00:00+00:00")
            Bucket(store).rebuild()
        real(self, key, data, version)

    monkeypatch.setattr(Store, "replace", replace)
    assert Bucket(store).rebuild() == 3
    assert numbers(store) == {
        "study/bbbb": 1,
        "study/aaaa": 2,
        "study/dddd": 3,
        "study/cccc": 4,
    }
    records = index.parse(store.read(INDEX)).records
    for key, record in records.items():
        assert json.loads(store.read(f"{key}/{RECORD}"))["id"] == record["id"]


def test_what_a_failed_try_left_and_broken_reports(store: Store) -> None:
    store.write("study/aaaa/summarize/ffff/report/summary.json", b"half")
    store.write("study/bbbb/summarize/1f2e/report/summary.json", b"[1]")
    store.write("study/cccc/train-cnn/1/classifier/model.keras", b"")
    Bucket(store).rebuild()
    by_key = {record["key"]: record for record in Bucket(store).records()}
    assert by_key["study/aaaa"]["arms"][0]["accuracy"] == 0.7
    assert by_key["study/bbbb"]["state"] == "damaged"
    assert "study/cccc" not in by_key


def test_what_the_cluster_knows_comes_first(store: Store) -> None:
    facts = {
        "study/aaaa": {"name": "level 50", "state": "succeeded", "started": 1.8e9, "link": "x"},
        "study/gone": {"name": "failed early", "state": "failed", "started": 1.7e9},
    }
    Bucket(store).rebuild(facts)
    by_key = {record["key"]: record for record in Bucket(store).records()}
    assert by_key["study/aaaa"]["name"] == "level 50" and by_key["study/aaaa"]["arms"]
    assert by_key["study/gone"]["state"] == "failed" and by_key["study/gone"]["id"] == 1
