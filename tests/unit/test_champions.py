"""The champions in a store: what is in force, whatever goes wrong."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import ForgetfulS3, GcsServer, S3Bucket

from augstudy.core import artifacts
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError, InputError, ServiceError
from augstudy.objects import ConflictError, Store
from augstudy.runs.champions import Champions, Current

FORGETFUL = "s3 that ignores conditions of writes"
KINDS = ["file", "gs", "s3", FORGETFUL]


@pytest.fixture
def uri(
    gcs: GcsServer, s3: S3Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], str]]:
    gcs.buckets.add("shelf")
    uris = {"file": f"file://{tmp_path}/c", "gs": "gs://shelf/c", "s3": f"s3://{s3.name}/c"}

    with ForgetfulS3(os.environ["AWS_ENDPOINT_URL"]) as server:

        def of(kind: str) -> str:
            if kind == FORGETFUL:
                monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            return uris[kind.split()[0]]

        yield of


def champion(folder: Path, content: str) -> Artifact:
    accuracies = {4: 0.5, 7: 0.75, 9: 0.75}
    records = [{"seed": key, "val_accuracy": value} for key, value in accuracies.items()]
    with (
        artifacts.publish(folder / content, "champion") as draft,
        artifacts.publish(draft / "classifier", "classifier") as inner,
    ):
        (inner / "model").write_text(content)
        (inner / "training.json").write_text(json.dumps(records))
        (inner / "classes.json").write_text('["cow", "zebra"]')
    return artifacts.read(folder / content, "champion")


@pytest.mark.parametrize("kind", KINDS)
def test_the_latest_is_in_force_and_the_old_stay(
    uri: Callable[[str], str], kind: str, tmp_path: Path
) -> None:
    champions = Champions(uri(kind))
    assert champions.current() is None
    champions.promote(champion(tmp_path, "one"), "1", None, reason="the first")
    first = champions.current()
    assert first is not None
    champions.promote(champion(tmp_path, "two"), "2", first)
    second = champions.current()
    assert second is not None
    assert second.id == "2"
    for name, content in (("1", "one"), ("2", "two")):
        fetched = champions.fetch(name, tmp_path / "back" / name)
        assert fetched.file("classifier/model").read_text() == content


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_promotions_at_once_one_is_refused(
    uri: Callable[[str], str], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    champions = Champions(uri(kind))
    champions.promote(champion(tmp_path, "one"), "1", None)
    before = champions.current()
    champions.promote(champion(tmp_path, "two"), "2", before)
    with pytest.raises(ConflictError, match="2 has come into force since"):
        champions.promote(champion(tmp_path, "late"), "3", before)
    # The other one gets in between the look and the writing of the pointer.
    monkeypatch.setattr(Champions, "current", lambda self: before)
    with pytest.raises(ConflictError, match="changed by somebody else in the meantime"):
        champions.promote(champion(tmp_path, "later"), "4", before)
    monkeypatch.undo()


def test_a_promotion_that_fails_at_the_pointer_leaves_the_old_champion(
    gcs: GcsServer, tmp_path: Path
) -> None:
    gcs.buckets.add("shelf")
    champions = Champions("gs://shelf/c")
    champions.promote(champion(tmp_path, "one"), "1", None)
    before = champions.current()
    gcs.refused.add("c/champion.json")
    with pytest.raises(ServiceError, match=r"c/champion\.json refuses access"):
        champions.promote(champion(tmp_path, "two"), "2", before)
    assert gcs.names("shelf")[-1] == "c/champions/2/manifest.json"  # all but the pointer
    assert champions.current() == before
    fetched = champions.fetch("1", tmp_path / "back")
    assert fetched.file("classifier/model").read_text() == "one"
    gcs.refused.clear()
    champions.promote(champion(tmp_path, "two"), "2", before)  # the step is tried again
    assert champions.current() != before


def test_a_promotion_may_be_repeated(tmp_path: Path) -> None:
    """A pod that dies after the pointer was written is started again."""
    champions = Champions(f"file://{tmp_path}/c")
    one = champion(tmp_path, "one")
    champions.promote(one, "1", None, reason="now")
    champions.promote(one, "1", None, reason="later")
    assert champions.pointer()["reason"] == "now"


def test_pointer_names_the_model_to_use(tmp_path: Path) -> None:
    champions = Champions(f"file://{tmp_path}/c")
    champions.promote(champion(tmp_path, "one"), "1", None, reason="the first")
    pointer = champions.pointer()
    assert pointer.pop("since").startswith("20")
    assert pointer == {
        "champion": "1",
        "before": None,
        "model": "champions/1/classifier/seed-7/model.keras",
        "classes": ["cow", "zebra"],
        "reason": "the first",
    }


def test_rolling_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from augstudy.cli.app import invoke

    uri = f"file://{tmp_path}/c"
    champions = Champions(uri)
    assert champions.pointer() == {}
    champions.promote(champion(tmp_path, "one"), "1", None)
    champions.promote(champion(tmp_path, "two"), "2", champions.current())
    assert champions.names() == ["1", "2"]
    assert invoke(["champions", uri, "--use", "1"]) == 0
    assert "Put in force by" in capsys.readouterr().out
    pointer = champions.pointer()
    assert (pointer["champion"], pointer["before"]) == ("1", "2")
    assert pointer["model"].startswith("champions/1/")
    assert invoke(["champions", uri, "--use", "3"]) == 2
    assert "there are: 1, 2." in capsys.readouterr().err
    (tmp_path / "c" / "champions" / "2" / "classifier" / "model").write_text("tw0")
    assert invoke(["champions", uri, "--use", "2"]) == 4
    assert champions.pointer() == pointer


def test_rolling_back_is_writing_the_pointer(tmp_path: Path) -> None:
    champions = Champions(f"file://{tmp_path}/c")
    champions.promote(champion(tmp_path, "one"), "1", None)
    champions.promote(champion(tmp_path, "two"), "2", champions.current())
    (tmp_path / "c" / "champion.json").write_text('{"champion": "1"}')
    current = champions.current()
    assert current is not None
    assert current.id == "1"
    with pytest.raises(ConflictError, match="1 has come into force"):
        champions.promote(champion(tmp_path, "three"), "3", Current("2", "x"))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"champion": 3}', '{"champion": "../x"}', '{"champion": "a/b"}']
)
def test_a_damaged_pointer_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "champion.json").write_text(text)
    with pytest.raises(DataError, match=r"champion\.json names no champion: write one into it"):
        Champions(f"file://{tmp_path}").current()


def test_a_champion_that_is_missing_or_altered_is_told(tmp_path: Path) -> None:
    champions = Champions(f"file://{tmp_path}/c")
    champions.promote(champion(tmp_path, "one"), "1", None)
    with pytest.raises(DataError, match="names '2', which is not in champions/"):
        champions.fetch("2", tmp_path / "back")
    (tmp_path / "c" / "champions" / "1" / "classifier" / "model").write_text("0ne")
    with pytest.raises(DataError, match="altered or truncated"):
        champions.fetch("1", tmp_path / "back")


def test_a_folder_of_the_pod_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(InputError, match="would vanish with the pod"):
        Champions(f"file://{tmp_path}")


def test_no_bucket_is_not_no_champion(gcs: GcsServer) -> None:
    with pytest.raises(InputError, match="There is no bucket"):
        Champions("gs://nowhere/c").current()


def test_pointer_is_the_last_thing_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    replace = Store.replace

    def watched(self: Store, key: str, data: bytes, version: str = "") -> None:
        written.extend(self.keys())
        replace(self, key, data, version)

    monkeypatch.setattr(Store, "replace", watched)
    Champions(f"file://{tmp_path}/c").promote(champion(tmp_path, "one"), "1", None)
    assert [key.rpartition("/")[2] for key in written] == [
        "classes.json",
        "manifest.json",
        "model",
        "training.json",
        "manifest.json",
    ]
