"""Stores: objects and folders of them, on servers that speak the real protocols."""

import io
import itertools
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import tenacity
from servers import ForgetfulS3, GcsServer, LoginPage, RefusingServer, S3Bucket

from augstudy.core.errors import DataError, InputError, ServiceError
from augstudy.objects import (
    ChangedError,
    ConflictError,
    MissingError,
    SignIn,
    Store,
    open_store,
    retry,
)
from augstudy.objects.parallel import AT_ONCE, side_by_side
from augstudy.objects.ranged import open_object
from augstudy.objects.retry import ATTEMPTS
from augstudy.objects.types import UnsupportedError

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
        with pytest.raises(InputError, match="not a service account's JSON key") as caught:
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
    with pytest.raises(ConflictError, match="pointer was changed by somebody else in the meantime"):
        store.replace("pointer", b"late")
    seen = store.lookup("pointer")
    assert seen is not None
    store.replace("pointer", b"second", seen.version)
    with pytest.raises(ConflictError):
        store.replace("pointer", b"late", seen.version)
    assert store.read("pointer") == b"second"
    with pytest.raises(ConflictError):
        store.replace("elsewhere", b"late", seen.version)


@pytest.fixture(params=[0, 501], ids=["ignores", "refuses"])
def forgetful(
    request: pytest.FixtureRequest, s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ForgetfulS3]:
    """The S3 server as one that knows no conditions of writes."""
    with ForgetfulS3(os.environ["AWS_ENDPOINT_URL"], request.param) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server


def test_a_store_without_conditional_writes_is_asked_before(
    forgetful: ForgetfulS3, s3: S3Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(f"s3://{s3.name}")
    store.replace("pointer", b"first")
    with pytest.raises(ConflictError):
        store.replace("pointer", b"late")
    seen = store.lookup("pointer")
    assert seen is not None
    store.replace("pointer", b"second", seen.version)
    with pytest.raises(ConflictError):
        store.replace("pointer", b"late", seen.version)
    assert store.read("pointer") == b"second"
    assert caplog.text.count("this store ignores conditions of writes") == 1
    assert s3.names() == ["pointer"]  # neither the probe nor claims are left


@pytest.mark.parametrize("forgetful", [0], indirect=True)
def test_of_many_writers_to_a_store_without_conditional_writes_one_wins(
    forgetful: ForgetfulS3, s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round all writers have seen the same version."""
    monkeypatch.setattr(retry, "WAIT", tenacity.wait_random(0, 0.2))
    stores = [open_store(f"s3://{s3.name}") for _ in range(4)]
    version = ""
    for number in range(5):

        def write(store: Store, number: int = number, version: str = version) -> bytes | None:
            content = f"{number} {id(store)}".encode()
            try:
                store.replace("pointer", content, version)
            except ServiceError:  # somebody else was faster, or all stood in each other's way
                return None
            return content

        with ThreadPoolExecutor(len(stores)) as pool:
            won = [content for content in pool.map(write, stores) if content]
        found = stores[0].lookup("pointer")
        assert won == ([found.data] if found and found.version != version else [])
        version = found.version if found else ""
    assert version
    assert s3.names() == ["pointer"]


@pytest.mark.parametrize("forgetful", [0], indirect=True)
def test_a_claim_of_a_writer_that_died_lapses(
    forgetful: ForgetfulS3, s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    from augstudy.objects import s3 as client

    store = open_store(f"s3://{s3.name}")
    s3.put("pointer.claim-0", b"")
    with pytest.raises(ServiceError, match=f"somebody else is writing it; tried {ATTEMPTS} times"):
        store.replace("pointer", b"first")
    time.sleep(2.1)  # S3 tells whole seconds
    monkeypatch.setattr(client, "_CLAIM_LASTS", timedelta(seconds=1))
    store.replace("pointer", b"first")
    assert store.read("pointer") == b"first"


def test_versions_are_compared_where_a_store_ignores_conditions_of_reads(
    forgetful: ForgetfulS3, s3: S3Bucket
) -> None:
    store = open_store(f"s3://{s3.name}")
    store.write("key", b"0123456789")
    version = store.stat("key").version
    assert store.read("key", (2, 6), version) == b"2345"
    store.write("key", b"9876543210")
    with pytest.raises(ChangedError, match="key changed while it was being read"):
        store.read("key", (2, 6), version)


@pytest.mark.parametrize("kind", KINDS)
def test_reads_ranges_of_one_version(open_kind: Callable[[str], Store], kind: str) -> None:
    store = open_kind(kind)
    store.write("a/key", b"0123456789")
    store.write("a/b/key", b"")
    (key,) = found = store.find("a/", deep=False)
    assert (key, found[key]) == ("a/key", store.stat("a/key"))
    assert found[key].size == 10
    assert store.read("a/key", (2, 6), found[key].version) == b"2345"
    store.write("a/key", b"9876543210")
    assert store.stat("a/key").version != found[key].version
    with pytest.raises(ChangedError, match="a/key changed while it was being read"):
        store.read("a/key", (2, 6), found[key].version)
    store.delete("a/key")
    store.delete("a/key")
    assert store.keys() == ["a/b/key"]
    with pytest.raises(ChangedError):
        store.read("a/key", None, found[key].version)


def test_not_implemented_is_neither_retried_nor_taken_for_a_refusal(
    s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RefusingServer(501, "NotImplemented") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(UnsupportedError, match="the service answered 501"):
            open_store("s3://bucket").write("key", b"")
        assert server.requests["any"] == 1


@pytest.mark.parametrize("uri", ["gs://bucket/folder", "s3://bucket/folder"])
@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.check(),
        lambda store: store.keys(),
        lambda store: store.exists("key"),
        lambda store: store.read("key"),
        lambda store: store.read("key", (0, 4)),
        lambda store: store.write("key", b"what would be lost"),
        lambda store: store.replace("key", b"what would be lost"),
        lambda store: store.delete("key"),
    ],
    ids=["check", "keys", "exists", "read", "range", "write", "replace", "delete"],
)
def test_a_login_page_is_no_answer_of_a_store(
    call: Callable[[Store], None], uri: str, s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoginPage() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        with pytest.raises(ServiceError, match=r"bucket/folder.* is a web page and not the store"):
            call(open_store(uri))


@pytest.mark.parametrize("kind", KINDS)
def test_a_web_page_may_be_stored(open_kind: Callable[[str], Store], kind: str) -> None:
    """Reports are."""
    store = open_kind(kind)
    store.write("report.html", LoginPage.BODY)
    assert store.read("report.html") == LoginPage.BODY
    assert store.read("report.html", (0, 5)) == b"<html"


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


def test_proxies_of_the_environment_are_used_where_they_should_be(
    gcs: GcsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gcs.put("art", "full/a.txt", b"content")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://storage.invalid")
    monkeypatch.setenv("HTTP_PROXY", gcs.url)
    assert open_store("gs://art/full").read("a.txt") == b"content"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs.url)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert open_store("gs://art/full").read("a.txt") == b"content"


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
    ("variable", "value", "good"),
    [
        ("AWS_ENDPOINT_URL", "localhost:9000", False),
        ("AWS_ENDPOINT_URL_S3", "localhost", False),
        ("AWS_ENDPOINT_URL", "ftp://localhost:9000", False),
        ("AWS_ENDPOINT_URL", "http://:9000", False),
        ("AWS_ENDPOINT_URL", "http://localhost:hush", False),
        ("AWS_ENDPOINT_URL", "http://localhost:9000", True),
        ("AWS_ENDPOINT_URL", "https://[::1]:9000/", True),
        ("STORAGE_EMULATOR_HOST", "http://", False),
        ("STORAGE_EMULATOR_HOST", "localhost:4443", True),
    ],
)
def test_an_endpoint_is_an_address(
    variable: str, value: str, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    scheme = "gs" if variable.startswith("STORAGE") else "s3"
    if good:
        open_store(f"{scheme}://bucket/x")
        return
    with pytest.raises(InputError, match=f"{variable} must be an address with http://") as caught:
        open_store(f"{scheme}://bucket/x")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("[default]\nendpoint_url = localhost:9000\n", "endpoint_url of the AWS profile must be"),
        ("[default]\nregion = not a region\n", "S3 cannot be set up .*check the AWS_"),
        ("[profile other]\n", "S3 cannot be set up .*ProfileNotFound"),
    ],
)
def test_a_bad_profile_is_told(
    config: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    if "other" in config:
        monkeypatch.setenv("AWS_PROFILE", "missing")
    with pytest.raises(InputError, match=message):
        open_store("s3://bucket/x")


def test_where_the_requester_pays(gcs: GcsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    gcs.put("art", "key", b"0123456789")
    gcs.payers["art"] = "mine"
    message = "bucket whose requester pays: set AUGSTUDY_BILLING_PROJECT to the project to bill"
    for call in (Store.keys, lambda store: store.read("key"), lambda store: store.write("a", b"")):
        with pytest.raises(ServiceError, match=message):
            call(open_store("gs://art"))
    monkeypatch.setenv("AUGSTUDY_BILLING_PROJECT", "another")
    with pytest.raises(ServiceError, match=r"refuses access: .*also to bill project another"):
        open_store("gs://art").read("key")
    monkeypatch.setenv("AUGSTUDY_BILLING_PROJECT", "mine")
    store = open_store("gs://art")
    assert store.keys() == ["key"]
    assert store.read("key", (2, 6), store.stat("key").version) == b"2345"
    store.write("key", b"new")
    store.delete("key")


def test_where_the_requester_pays_in_s3(
    forgetful: ForgetfulS3, s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(f"s3://{s3.name}").keys()
    assert not any("x-amz-request-payer" in headers for headers in forgetful.heard)
    monkeypatch.setenv("AWS_REQUEST_PAYER", "requester")
    forgetful.heard.clear()
    store = open_store(f"s3://{s3.name}")
    store.write("key", b"1")
    assert store.read("key") == b"1"
    assert store.keys() == ["key"]
    store.delete("key")
    assert {headers["x-amz-request-payer"] for headers in forgetful.heard} == {"requester"}


def test_a_path_is_a_folder_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (
        f"{tmp_path}/shelf",
        f"FILE://{tmp_path}/shelf",
        "./shelf",
        "~/shelf",
        f"../{tmp_path.name}/shelf/",
    ):
        assert open_store(path).uri == f"file://{tmp_path}/shelf"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://no such bucket!/x", "not a valid S3 address"),
        ("shelf", "Unknown store 'shelf': use file:///folder, gs://bucket/folder, s3://"),
        ("ftp://host/x", "Unknown scheme ftp://"),
        ("gs://", "names no bucket"),
        ("file://", "names no folder"),
        ("FILE://", "names no folder"),
        ("minio://b/x", "set AWS_ENDPOINT_URL, for example http://localhost:9000"),
    ],
)
def test_bad_addresses(uri: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_store(uri).keys()


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


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_is_a_file_to_seek_in(open_kind: Callable[[str], Store], kind: str) -> None:
    store = open_kind(kind)
    content = {"a": os.urandom(3_000_000), "b": b"small"}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    store.write("archive.zip", packed.getvalue())
    with zipfile.ZipFile(open_object(store, "archive.zip")) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == content
        store.write("archive.zip", packed.getvalue() + b"?")
        assert archive.read("a") == content["a"]  # of the version that was opened
    with pytest.raises(MissingError):
        open_object(store, "none.zip")


def test_calls_side_by_side_are_in_order_and_few_ahead() -> None:
    started: list[int] = []

    def double(number: int) -> int:
        started.append(number)
        time.sleep(0.001 * (number % 3))
        return 2 * number

    results = side_by_side(double, itertools.count())
    assert list(itertools.islice(results, 100)) == list(range(0, 200, 2))
    results.close()
    assert len(started) <= 100 + 4 * AT_ONCE
    assert list(side_by_side(double, [])) == []


def test_the_first_failure_of_calls_side_by_side_ends_them() -> None:
    started: list[int] = []

    def fail(number: int) -> None:
        started.append(number)
        time.sleep(0.01)
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        list(side_by_side(fail, range(1000)))
    assert len(started) <= 3 * AT_ONCE
