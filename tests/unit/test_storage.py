"""Stores: objects and folders of them, on servers that speak the real protocols."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers import GcsServer, RefusingServer, S3Bucket

from augstudy.core.errors import DataError, InputError, ServiceError
from augstudy.objects import ConflictError, MissingError, SignIn, Store, open_store
from augstudy.objects.filesystem import UnsupportedError
from augstudy.objects.retry import ATTEMPTS
from augstudy.objects.s3 import S3Store

KINDS = ["file", "gs", "s3", "minio"]


@pytest.fixture
def open_kind(gcs: GcsServer, s3: S3Bucket, tmp_path: Path) -> Callable[[str], Store]:
    """Opens an empty store of a kind; every call of a kind gives the same."""
    gcs.buckets.add("shelf")
    uris = {
        "file": f"file://{tmp_path}/shelf",
        "gs": "gs://shelf/some/folder/",
        "s3": f"s3://{s3.name}/some/folder",
        "minio": f"minio://{s3.name}/some/folder",
    }
    return lambda kind: open_store(uris[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_writes_reads_and_lists(open_kind: Callable[[str], Store], kind: str) -> None:
    store = open_kind(kind)
    assert store.keys() == []
    assert not store.exists("a/one")
    store.write("a/one", b"1")
    store.write("a/two words", b"")
    store.write("ab", b"3")
    store.write("a/one", b"11")
    assert store.read("a/one") == b"11"
    assert store.exists("a/one")
    assert not store.exists("a")
    assert store.keys() == ["a/one", "a/two words", "ab"]
    assert store.keys("a/") == ["a/one", "a/two words"]
    assert store.keys("a/o") == ["a/one"]
    assert store.keys("b") == []
    assert store.keys("a/one/") == []
    with pytest.raises(MissingError, match=r"There is no object \S*/x: check"):
        store.read("x")


@pytest.mark.parametrize("kind", KINDS)
def test_deletes_what_is_there(open_kind: Callable[[str], Store], kind: str) -> None:
    store = open_kind(kind)
    store.write("a/one", b"1")
    store.write("a/two", b"2")
    store.delete("a/one")
    store.delete("a/none")
    assert store.keys() == ["a/two"]


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_nothing_is_deleted_from_a_bucket_that_does_not_exist(
    gcs: GcsServer, s3: S3Bucket, kind: str
) -> None:
    with pytest.raises(InputError, match="There is no bucket 'nowhere'"):
        open_store(f"{kind}://nowhere/a").delete("b")


def test_a_sign_in_comes_before_the_environment(
    s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    given = SignIn(endpoint=endpoint, region="eu-west-1", key="the-key", secret="the-secret")
    store = open_store(f"minio://{s3.name}/folder", given)
    store.write("one", b"1")
    assert store.read("one") == b"1"
    assert "the-secret" not in repr(given) and "the-key" not in repr(given)


def test_a_key_of_googles_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = (b"verysecret", b"[]", b'{"type": "verysecret"}', b'{"private_key": "verysecret"}')
    for token in tokens:
        with pytest.raises(InputError, match="no JSON key of a service account") as caught:
            open_store("gs://bucket/folder", SignIn(token=token))
        assert "verysecret" not in str(caught.value) and caught.value.__cause__ is None


@pytest.mark.parametrize("kind", ["gs", "s3", "minio"])
def test_a_whole_bucket_is_a_store_too(
    gcs: GcsServer, s3: S3Bucket, kind: str, tmp_path: Path
) -> None:
    gcs.buckets.add("shelf")
    store = open_store(f"{kind}://{'shelf' if kind == 'gs' else s3.name}")
    store.write("top", b"1")
    store.write("deep/er", b"2")
    assert store.keys() == ["deep/er", "top"]
    store.download("", tmp_path / "all")
    assert (tmp_path / "all" / "deep" / "er").read_bytes() == b"2"


@pytest.mark.parametrize("kind", KINDS)
def test_replaces_only_what_it_saw(open_kind: Callable[[str], Store], kind: str) -> None:
    store = open_kind(kind)
    assert store.lookup("pointer") is None
    store.replace("pointer", b"first")
    with pytest.raises(ConflictError, match="pointer was changed by somebody else meanwhile"):
        store.replace("pointer", b"late")
    seen = store.lookup("pointer")
    assert seen is not None
    store.replace("pointer", b"second", seen.version)
    with pytest.raises(ConflictError):
        store.replace("pointer", b"late", seen.version)
    assert store.read("pointer") == b"second"
    with pytest.raises(ConflictError):
        store.replace("elsewhere", b"late", seen.version)


def test_a_store_without_conditional_writes_is_asked_before(
    s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = S3Store._write

    def without(self: S3Store, key: str, data: bytes, **condition: Any) -> None:
        if condition:
            raise UnsupportedError("the service answered 501")
        write(self, key, data)

    monkeypatch.setattr(S3Store, "_write", without)
    store = open_store(f"s3://{s3.name}")
    store.replace("pointer", b"first")
    with pytest.raises(ConflictError):
        store.replace("pointer", b"late")
    seen = store.lookup("pointer")
    assert seen is not None
    store.replace("pointer", b"second", seen.version)
    assert store.read("pointer") == b"second"


def test_not_implemented_is_neither_retried_nor_taken_for_a_refusal(
    s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RefusingServer(501, "NotImplemented") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(UnsupportedError, match="the service answered 501"):
            open_store("s3://bucket").write("key", b"")
        assert server.requests["any"] == 1


def test_of_many_writers_one_wins(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/shelf")
    won = []

    def write(number: int) -> None:
        try:
            store.replace("pointer", str(number).encode())
            won.append(number)
        except ConflictError:
            pass

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(number).encode() for number in won] == [store.read("pointer")]


@pytest.mark.parametrize("kind", KINDS)
def test_moves_folders(open_kind: Callable[[str], Store], kind: str, tmp_path: Path) -> None:
    store = open_kind(kind)
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "seed-0").mkdir(parents=True)
    content = {"manifest.json": b"{}", "a b.csv": b"1,2", "seed-0/model": os.urandom(300_000)}
    for name, data in content.items():
        (source / name).write_bytes(data)
    store.write("thing-else/manifest.json", b"not of it")
    store.upload(source, "thing")
    store.download("thing/", target)
    found = {path.relative_to(target).as_posix(): path for path in target.rglob("*")}
    assert {name: path.read_bytes() for name, path in found.items() if path.is_file()} == content
    with pytest.raises(MissingError, match=r"nothing in \S*/other/"):
        store.download("other", target)
    with pytest.raises(InputError, match="missing or empty"):
        store.upload(tmp_path / "none", "thing")


def test_large_files_go_up_in_a_session(gcs: GcsServer, tmp_path: Path) -> None:
    gcs.buckets.add("shelf")
    big = os.urandom(9 << 20)
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "file").write_bytes(big)
    gcs.fail("chunk", 503, 1)
    open_store("gs://shelf").upload(tmp_path / "big", "x")
    assert gcs.get("shelf", "x/file") == big
    assert (gcs.requests["resumable"], gcs.requests["chunk"]) == (2, 2)
    open_store("gs://shelf").download("x", tmp_path / "back")
    assert (tmp_path / "back" / "file").read_bytes() == big


def test_manifest_goes_last_and_not_at_all_after_a_failure(gcs: GcsServer, tmp_path: Path) -> None:
    gcs.buckets.add("shelf")
    for name in ("a", "manifest.json", "z"):
        (tmp_path / name).write_bytes(b"x")
    store = open_store("gs://shelf")
    store.upload(tmp_path, "whole")
    assert gcs.names("shelf")[-1] == "whole/manifest.json"
    gcs.fail("upload", 400, 1)
    with pytest.raises(ServiceError, match=r"gs://shelf/part/. cannot be written: .* 400"):
        store.upload(tmp_path, "part")
    assert "part/manifest.json" not in gcs.names("shelf")
    gcs.fail("media", 400, 1)
    with pytest.raises(ServiceError):
        store.download("whole", tmp_path / "part")
    assert not (tmp_path / "part" / "manifest.json").exists()


def test_long_lists_come_in_pages(gcs: GcsServer) -> None:
    gcs.page = 3
    for number in range(10):
        gcs.put("shelf", f"f/{number}", b"")
    assert len(open_store("gs://shelf/f").keys()) == 10
    assert gcs.requests["list"] == 4


def test_what_may_pass_is_tried_again(gcs: GcsServer) -> None:
    gcs.put("shelf", "key", b"0123456789")
    gcs.fail("media", 503, 2)
    gcs.fail("list", 429, 2)
    gcs.fail("upload", 500, 2)
    store = open_store("gs://shelf")
    assert store.read("key") == b"0123456789"
    gcs.cut(1)
    assert store.read("key") == b"0123456789"
    assert store.keys() == ["key"]
    store.write("key", b"new")
    assert gcs.get("shelf", "key") == b"new"
    gcs.fail("upload", 503, 100)
    with pytest.raises(ServiceError, match=f"cannot be written .*503; tried {ATTEMPTS} times"):
        store.write("key", b"newer")


def test_a_replacement_whose_answer_was_lost_is_no_conflict(gcs: GcsServer) -> None:
    gcs.put("shelf", "pointer", b"old")
    store = open_store("gs://shelf")
    seen = store.lookup("pointer")
    assert seen is not None
    gcs.lose_answers(1)
    store.replace("pointer", b"new", seen.version)
    assert gcs.get("shelf", "pointer") == b"new"
    assert gcs.requests["upload"] == 2


@pytest.mark.parametrize("uri", ["gs://nowhere/x", "s3://nowhere/x", "minio://nowhere/x"])
def test_missing_bucket(uri: str, gcs: GcsServer, s3: S3Bucket, tmp_path: Path) -> None:
    store = open_store(uri)
    (tmp_path / "file").write_bytes(b"x")
    calls: list[Callable[[], object]] = [
        store.keys,
        lambda: store.exists("a"),
        lambda: store.read("a"),
        lambda: store.lookup("a"),
        lambda: store.write("a", b""),
        lambda: store.replace("a", b""),
        lambda: store.upload(tmp_path, "a"),
        lambda: store.download("a", tmp_path),
    ]
    for call in calls:
        with pytest.raises(InputError, match="There is no bucket 'nowhere': check the address"):
            call()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("shelf", "Unknown store 'shelf': use file:///folder, gs://bucket/folder, s3://"),
        ("ftp://host/x", "Unknown scheme ftp://"),
        ("gs://", "names no bucket"),
        ("file://", "names no folder"),
        ("minio://b/x", "set AWS_ENDPOINT_URL, for example http://localhost:9000"),
    ],
)
def test_bad_addresses(uri: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_store(uri)


def test_credentials_in_an_address_are_refused_and_not_shown() -> None:
    for uri in ("s3://key:hush@bucket/x", "gs://user:hush@bucket"):
        with pytest.raises(InputError, match="must not carry credentials") as caught:
            open_store(uri)
        assert "hush" not in str(caught.value)


def test_a_named_endpoint_is_asked_by_path(s3: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store in a cluster has a name, and no name for each of its buckets."""
    endpoint = os.environ["AWS_ENDPOINT_URL"].replace("127.0.0.1", "localhost")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    store = open_store(f"minio://{s3.name}")
    store.write("key", b"1")
    assert store.keys() == ["key"]


def test_an_emulator_may_be_named_as_kubeflow_does(
    gcs: GcsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gcs.buckets.add("shelf")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs.url.removeprefix("http://"))
    open_store("gs://shelf").write("key", b"1")
    assert gcs.get("shelf", "key") == b"1"


def test_keys_that_lead_out_are_refused(gcs: GcsServer, tmp_path: Path) -> None:
    gcs.put("shelf", "x/../../evil", b"")
    with pytest.raises(DataError, match="would be written outside"):
        open_store("gs://shelf").download("x", tmp_path / "target" / "deep")
    with pytest.raises(InputError, match="leads out"):
        open_store(f"file://{tmp_path}/shelf").write("../evil", b"")
    assert not list(tmp_path.rglob("evil"))


def test_a_full_or_closed_disk_is_told(tmp_path: Path, tiny_disk: Path) -> None:
    with pytest.raises(ServiceError, match="cannot be written: No space left"):
        open_store(f"file://{tiny_disk}").write("big", bytes(1 << 20))
    assert open_store(f"file://{tiny_disk}").keys() == []
    (tmp_path / "plain").write_text("")
    with pytest.raises(ServiceError, match="plain/key cannot be written"):
        open_store(f"file://{tmp_path}/plain").write("key", b"")
