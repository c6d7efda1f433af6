"""``augstudy doctor`` tries the store with the root, the endpoint and the keys of the runs."""

import base64
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from healthy import SPACE, Doctor, object_
from kube_server import KubeServer
from servers import GcsServer, S3Bucket

from augstudy.objects import Store

TRIED = "takes, returns and deletes an object"


def said_of(text: str, words: str) -> tuple[str, str]:
    """The line with `words`, and the one below it."""
    lines = text.splitlines()
    (place,) = [number for number, line in enumerate(lines) if words in line]
    return lines[place], [*lines, ""][place + 1]


def keys(access: str, secret: str) -> dict[str, object]:
    """The secret that KFP's launcher reads."""
    values = {"accesskey": access, "secretkey": secret}
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    return object_("Secret", "mlpipeline-minio-artifact", data=data)


def launcher(root: str, providers: object = None) -> dict[str, object]:
    data = {"defaultPipelineRoot": root}
    if providers is not None:
        data["providers"] = json.dumps(providers)  # which is YAML, too
    return object_("ConfigMap", "kfp-launcher", data=data)


def s3_provider(**changes: object) -> dict[str, object]:
    reference = {"secretName": "mlpipeline-minio-artifact", "accessKeyKey": "accesskey"}
    credentials = {"fromEnv": False, "secretRef": {**reference, "secretKeyKey": "secretkey"}}
    store = {"endpoint": "seaweedfs.kubeflow:9000", "disableSSL": True, "credentials": credentials}
    return {"minio": {"default": {**store, **changes}}}


@pytest.fixture
def account(s3: S3Bucket) -> Iterator[tuple[str, str]]:
    """Keys that the S3 server knows; while it lasts, it refuses all others."""
    iam = boto3.client("iam")
    iam.create_user(UserName="runs")
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="runs", PolicyName="store", PolicyDocument=document)
    made = iam.create_access_key(UserName="runs")["AccessKey"]

    def guard(count: str) -> None:
        url = f"{iam.meta.endpoint_url}/moto-api/reset-auth"
        kind = {"Content-Type": "text/plain"}
        request = urllib.request.Request(url, count.encode(), kind)
        urllib.request.urlopen(request, timeout=10).close()

    guard("0")
    yield made["AccessKeyId"], made["SecretAccessKey"]
    guard("inf")
    iam.delete_access_key(UserName="runs", AccessKeyId=made["AccessKeyId"])
    iam.delete_user_policy(UserName="runs", PolicyName="store")
    iam.delete_user(UserName="runs")


def test_the_store_takes_an_object_and_keeps_nothing(doctor: Doctor, bucket: S3Bucket) -> None:
    _, text = doctor()
    line, _ = said_of(text, TRIED)
    assert line.startswith("ok       minio://mlpipeline/v2/artifacts ")
    assert "with the keys of secret mlpipeline-minio-artifact" in line
    assert bucket.names() == []


def test_a_bucket_that_does_not_exist(kube: KubeServer, doctor: Doctor) -> None:
    kube.put(launcher("minio://nowhere/v2/artifacts"))
    code, text = doctor()
    assert code == 3
    line, mend = said_of(text, "There is no bucket 'nowhere'")
    assert line.startswith("wrong") and "edit configmap kfp-launcher" in mend
    assert TRIED not in text


def test_the_keys_of_the_runs_and_not_those_of_the_environment(
    kube: KubeServer, doctor: Doctor, account: tuple[str, str]
) -> None:
    """The environment has keys that the store refuses, and they do not matter."""
    kube.put(keys(*account))
    code, text = doctor()
    assert code == 0, text
    assert TRIED in text
    assert account[1] not in text


def test_the_access_key_given_twice(
    kube: KubeServer,
    doctor: Doctor,
    account: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every key of the secret is there, and good keys in the environment do not help."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", account[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", account[1])
    kube.put(keys(account[0], account[0]))
    code, text = doctor()
    assert code == 3
    line, mend = said_of(text, "refuses access")
    assert line.startswith("wrong    with the keys of secret mlpipeline-minio-artifact: ")
    assert "create secret generic mlpipeline-minio-artifact --from-file=FOLDER/accesskey" in mend
    assert account[0] not in text and TRIED not in text


def test_a_line_end_in_a_key(kube: KubeServer, doctor: Doctor) -> None:
    """As a file that an editor wrote has one, and --from-file takes it over."""
    kube.put(keys("minio", "minio123\n"))
    code, text = doctor()
    assert code == 3
    line, mend = said_of(text, "has a blank or a line end around secretkey")
    assert line.startswith("wrong") and "files without a line end" in mend
    assert TRIED not in text


def test_a_reference_that_names_one_key_twice(
    kube: KubeServer, doctor: Doctor, account: tuple[str, str]
) -> None:
    kube.put(keys(*account))
    twice = {
        "secretName": "mlpipeline-minio-artifact",
        "accessKeyKey": "accesskey",
        "secretKeyKey": "accesskey",
    }
    credentials = {"fromEnv": False, "secretRef": twice}
    kube.put(launcher("minio://mlpipeline/a", s3_provider(credentials=credentials)))
    code, text = doctor()
    assert code == 3
    assert said_of(text, "refuses access")[0].startswith("wrong")


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ([], "kfp-launcher"),
        (["--pipeline-root", "minio://mlpipeline/mine"], "--pipeline-root"),
        ("environment", "AUGSTUDY_PIPELINE_ROOT"),
        ("file", "pipeline_root in kfp.yaml"),
    ],
)
def test_says_who_named_the_root(
    doctor: Doctor,
    bucket: S3Bucket,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    given: list[str] | str,
    origin: str,
) -> None:
    root = "minio://mlpipeline/mine" if given else "minio://mlpipeline/v2/artifacts"
    if given == "environment":
        monkeypatch.setenv("AUGSTUDY_PIPELINE_ROOT", root)
    if given == "file":
        (tmp_path / "kfp.yaml").write_text(f"pipeline_root: {root}")
        monkeypatch.setenv("AUGSTUDY_KFP", str(tmp_path / "kfp.yaml"))
    code, text = doctor(*(given if isinstance(given, list) else []))
    assert code == 0, text
    assert f"artifacts go to {root} ({origin})" in text
    assert f"{root} {TRIED}" in text


@pytest.mark.parametrize(
    ("harm", "origin"),
    [
        (
            lambda kube: kube.remove(f"{SPACE}/configmaps/kfp-launcher"),
            "KFP's default; there is no kfp-launcher",
        ),
        (lambda kube: kube.put(launcher("")), "KFP's default; kfp-launcher names none"),
    ],
)
def test_kfps_own_root(
    kube: KubeServer, doctor: Doctor, harm: Callable[[KubeServer], None], origin: str
) -> None:
    harm(kube)
    assert f"artifacts go to minio://mlpipeline/v2/artifacts ({origin})" in doctor()[1]


def test_a_store_in_the_cluster_is_reached_by_kubectl(
    doctor: Doctor, bucket: S3Bucket, inside: Callable[[], list[str]]
) -> None:
    code, text = doctor("--context", "test")
    assert code == 0, text
    assert TRIED in text
    assert inside() == ["--context test --namespace kubeflow port-forward svc/seaweedfs :9000"]
    assert bucket.names() == []


def test_a_port_that_kubectl_does_not_forward(
    doctor: Doctor, inside: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARD_TO", "")
    code, text = doctor()
    assert code == 0
    line, mend = said_of(text, "the store was not tried")
    assert line.startswith("warning") and "because pod is not running" in line
    assert "helm test augstudy --namespace kubeflow --logs" in mend


def test_a_service_that_is_not_there(kube: KubeServer, doctor: Doctor) -> None:
    kube.put(launcher("minio://mlpipeline/a", s3_provider(endpoint="minio-service.kubeflow:9000")))
    code, text = doctor()
    assert code == 3
    line, mend = said_of(text, "There is no Service minio-service in namespace kubeflow")
    assert line.startswith("wrong") and "edit configmap kfp-launcher" in mend


def test_a_store_that_only_pods_may_reach(kube: KubeServer, doctor: Doctor) -> None:
    kube.put(launcher("minio://mlpipeline/a", s3_provider(endpoint="127.0.0.1:9")))
    code, text = doctor()
    assert code == 0
    line, mend = said_of(text, "the store does not answer here")
    assert line.startswith("warning") and "helm test" in mend


def test_cloud_storage_is_tried_with_our_own_credentials(
    kube: KubeServer, doctor: Doctor, gcs: GcsServer
) -> None:
    gcs.put("drawings", "there", b"")
    kube.put(launcher("gs://drawings/runs"))
    code, text = doctor()
    line, _ = said_of(text, TRIED)
    assert line.startswith("ok       gs://drawings/runs ") and "our own credentials" in line
    assert "helm test augstudy --namespace kubeflow --logs" in line
    assert gcs.names("drawings") == ["there"]
    gcs.forbidden.add("drawings")
    line, mend = said_of(doctor()[1], "the store was tried with our own credentials")
    assert line.startswith("warning") and "helm test" in mend
    kube.put(launcher("gs://nowhere/runs"))
    code, text = doctor()
    assert code == 3
    assert said_of(text, "There is no bucket 'nowhere'")[0].startswith("wrong")


def test_what_may_be_written_but_not_deleted(
    kube: KubeServer, doctor: Doctor, gcs: GcsServer
) -> None:
    gcs.put("drawings", "there", b"")
    gcs.fail("delete", 403, 1)
    kube.put(launcher("gs://drawings/runs"))
    code, text = doctor()
    assert code == 0
    (left,) = [name for name in gcs.names("drawings") if name != "there"]
    line, mend = said_of(text, "may not be deleted")
    assert line.startswith("warning") and mend.strip() == f"-> delete gs://drawings/{left}"


def test_a_store_that_returns_something_else(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[str] = []
    monkeypatch.setattr(Store, "read", lambda *_: b"something else")
    monkeypatch.setattr(Store, "delete", lambda _, name: deleted.append(name))
    code, text = doctor()
    assert code == 3
    line, advice = said_of(text, "returned something else than what was stored")
    assert line.startswith("wrong") and "proxy" in advice
    assert TRIED not in text and len(deleted) == 1
