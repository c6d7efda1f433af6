"""Sources: what they say when something is missing, refused or unreachable."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from servers import GcsServer, RefusingServer, S3Bucket

from augstudy.core.errors import AugstudyError, InputError, ServiceError
from augstudy.data.sources import find_class, open_source
from augstudy.objects import ChangedError, open_store
from augstudy.objects.retry import ATTEMPTS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def sources(gcs: GcsServer, s3: S3Bucket, tmp_path: Path) -> dict[str, str]:
    """The same four classes in each kind of folder."""
    for name in ("zebra", "tiger", "alarm clock", "cat"):
        (tmp_path / f"{name}.npy").write_bytes(b"0123456789")
        gcs.put("art", f"full/{name}.npy", b"0123456789")
        s3.put(f"full/{name}.npy", b"0123456789")
    gcs.put("art", "full/deep/er.npy", b"")
    gcs.put("art", "full/notes.txt", b"")
    return {
        "file": f"file://{tmp_path}",
        "gs": "gs://art/full/",
        "s3": f"s3://{s3.name}/full",
        "minio": f"minio://{s3.name}/full",
    }


@pytest.mark.parametrize("scheme", ["file", "gs", "s3", "minio"])
def test_lists_looks_up_and_reads(sources: dict[str, str], scheme: str) -> None:
    source = open_source(sources[scheme])
    assert source.list_classes() == ["alarm clock", "cat", "tiger", "zebra"]
    info = find_class(source, "alarm clock")
    assert (info.name, info.size) == ("alarm clock", 10)
    assert info.uri == f"{sources[scheme].rstrip('/')}/alarm clock.npy"
    assert info.version
    assert source.read(info, 2, 6) == b"2345"


@pytest.mark.parametrize("scheme", ["file", "gs", "s3"])
def test_missing_class_names_the_nearest(sources: dict[str, str], scheme: str) -> None:
    source = open_source(sources[scheme])
    with pytest.raises(InputError, match="holds no class 'zebr': the nearest are 'zebra'"):
        find_class(source, "zebr")
    with pytest.raises(InputError, match="no class 'qqq': it has 4, such as 'alarm clock', 'cat'"):
        find_class(source, "qqq")


@pytest.mark.parametrize(
    "uri", ["gs://art/full", "s3://{bucket}/full", "file://{folder}", "sample"]
)
def test_missing_class_in_an_empty_or_small_folder(
    uri: str, gcs: GcsServer, s3: S3Bucket, tmp_path: Path
) -> None:
    gcs.put("art", "elsewhere/cat.npy", b"")
    source = open_source(uri.format(bucket=s3.name, folder=tmp_path))
    with pytest.raises(InputError, match=r"holds no \.npy files|holds no class 'cat'"):
        find_class(source, "cat")


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("gs://nowhere/full", "There is no bucket 'nowhere'"),
        ("s3://nowhere/full", "There is no bucket 'nowhere'"),
        ("file:///no/such/folder", "There is no folder /no/such/folder"),
    ],
)
def test_missing_bucket_or_folder(uri: str, named: str, gcs: GcsServer, s3: S3Bucket) -> None:
    with pytest.raises(InputError, match=named):
        find_class(open_source(uri), "cat")


def test_missing_class_in_a_bucket_that_may_not_be_listed(gcs: GcsServer) -> None:
    gcs.put("art", "cat.npy", b"")
    gcs.fail("list", 403, 2)
    with pytest.raises(InputError, match="holds no class 'dog': check its spelling"):
        find_class(open_source("gs://art"), "dog")


def test_forbidden_bucket(gcs: GcsServer) -> None:
    gcs.forbidden.add("secret")
    with pytest.raises(ServiceError, match=r"gs://secret/cat\.npy refuses access"):
        find_class(open_source("gs://secret"), "cat")
    assert gcs.requests["stat"] == 1


def test_other_refusals_are_not_retried(gcs: GcsServer) -> None:
    gcs.fail("stat", 400, 1)
    with pytest.raises(ServiceError, match="the service answered 400"):
        find_class(open_source("gs://art"), "cat")
    assert gcs.requests["stat"] == 1


@pytest.mark.parametrize(
    ("status", "code", "message", "requests"),
    [
        (403, "AccessDenied", "refuses access", 1),
        (503, "SlowDown", f"answered 503; tried {ATTEMPTS} times", ATTEMPTS),
        (429, "TooManyRequests", f"answered 429; tried {ATTEMPTS} times", ATTEMPTS),
        (400, "InvalidRequest", "answered 400", 2),  # botocore asks for the bucket's region too
    ],
)
def test_refusing_s3_server(
    s3: S3Bucket,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: str,
    message: str,
    requests: int,
) -> None:
    with RefusingServer(status, code) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(ServiceError, match=message):
            find_class(open_source("s3://bucket/full"), "cat")
        assert server.requests["any"] == requests


@pytest.mark.parametrize("uri", ["gs://bucket/full", "s3://bucket/full", "http://{host}/full"])
def test_unreachable_host(uri: str, s3: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    host = f"127.0.0.1:{free_port()}"
    for variable in ("STORAGE_EMULATOR_HOST", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(variable, f"http://{host}")
    with pytest.raises(ServiceError, match=f"tried {ATTEMPTS} times.*check the network"):
        find_class(open_source(uri.format(host=host)), "cat")


def test_a_body_that_stays_short_is_given_up(gcs: GcsServer) -> None:
    gcs.put("art", "cat.npy", b"0123456789")
    source = open_source("gs://art")
    info = source.stat("cat")
    gcs.cut(100)
    with pytest.raises(ServiceError, match=f"tried {ATTEMPTS} times"):
        source.read(info, 0, 10)
    assert gcs.requests["media"] == ATTEMPTS


@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_reads_are_pinned_to_the_generation(gcs: GcsServer, change: str) -> None:
    gcs.put("art", "cat.npy", b"0123456789")
    gcs.put("art", "dog.npy", b"0123456789")
    source = open_source("gs://art")
    info = source.stat("cat")
    if change == "replaced":
        gcs.put("art", "cat.npy", b"9876543210")
    else:
        gcs.delete("art", "cat.npy")
    with pytest.raises(ChangedError, match="changed while it was being read"):
        source.read(info, 0, 10)
    assert gcs.requests["media"] == 1


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("cats", "Unknown source 'cats': use sample, file:///folder"),
        ("/no/such/folder", "There is no folder /no/such/folder"),
        ("./cats", r"There is no folder \S+/cats"),
        ("~nobody-at-all/cats", "cannot be followed"),
        ("nope://cats", "Unknown source scheme nope://"),
        ("gs://", "names no bucket"),
        ("s3:///full", "names no bucket"),
        ("://cats", "Unknown source"),
        ("file://", "names no folder"),
    ],
)
def test_bad_addresses(uri: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_class(open_source(uri), "cat")


def test_s3_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setitem(sys.modules, "botocore.session", None)
    monkeypatch.delitem(sys.modules, "augstudy.objects.s3", raising=False)
    with pytest.raises(InputError, match=r"pip install 'augstudy\[s3\]'"):
        find_class(open_source("s3://bucket/full"), "cat")


def test_other_schemes_go_through_fsspec() -> None:
    import fsspec

    system = fsspec.filesystem("memory")
    system.pipe_file("/art/cat.npy", b"0123456789")
    source = open_source("memory://art")
    info = find_class(source, "cat")
    assert source.read(info, 1, 3) == b"12"
    with pytest.raises(InputError, match="nearest are 'cat'"):
        find_class(source, "cats")


def test_public_s3_objects_need_no_credentials(
    s3: S3Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("public.npy", b"0123456789", acl="public-read")
    s3.put("private.npy", b"0123456789")
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    source = open_source(f"s3://{s3.name}")
    assert source.read(find_class(source, "public"), 1, 3) == b"12"
    with pytest.raises(ServiceError, match="refuses access"):
        find_class(source, "private")


def test_google_credentials_are_used_where_there_are_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def client() -> Any:
        return open_store("gs://art", read_only=True)._client  # type: ignore[attr-defined]

    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    assert type(client()._credentials).__name__ == "AnonymousCredentials"
    key = {
        "type": "authorized_user",
        "client_id": "me",
        "client_secret": "it",
        "refresh_token": "again",
        "token_uri": f"http://127.0.0.1:{free_port()}/token",
    }
    (tmp_path / "key.json").write_text(json.dumps(key))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    assert client()._credentials.refresh_token == "again"


def test_ingest_of_local_data_loads_neither_a_training_nor_a_cloud_library() -> None:
    program = """if True:
        import sys
        from augstudy.settings.data import DataSettings
        from augstudy.data.reading import read_images
        import augstudy.steps.ingest
        read_images(DataSettings())
        heavy = {"tensorflow", "keras", "jax", "pandas", "fsspec", "botocore", "google.cloud"}
        sys.exit(f"loaded {loaded}" if (loaded := heavy & set(sys.modules)) else 0)
    """
    subprocess.run([sys.executable, "-c", program], check=True)


def test_errors_are_one_sentence(gcs: GcsServer) -> None:
    gcs.forbidden.add("secret")
    for uri in ("gs://secret", "gs://nowhere", "sample", "file:///no/such/folder"):
        with pytest.raises(AugstudyError) as caught:
            find_class(open_source(uri), "unicorn")
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith(".")
