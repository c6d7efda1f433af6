"""The launcher's configuration, read as KFP reads it."""

from pathlib import Path

import pytest
import yaml

from augstudy.cluster import launcher
from augstudy.core.errors import InputError

GOLDEN = Path(__file__).parents[1] / "chart" / "golden"


def of_chart(flavour: str) -> dict[str, str]:
    """The ConfigMap that the chart makes."""
    for item in yaml.safe_load_all((GOLDEN / f"{flavour}.yaml").read_text()):
        if item["kind"] == "ConfigMap":
            return dict(item["data"])
    raise AssertionError(flavour)


@pytest.mark.parametrize("data", [{}, {"defaultPipelineRoot": ""}, of_chart("default")])
def test_without_configuration_it_is_kfps_own_store(data: dict[str, str]) -> None:
    found = launcher.access(data)
    assert found.root == "minio://mlpipeline/v2/artifacts"
    assert found.url == "http://seaweedfs.kubeflow:9000"
    assert found.secret == "mlpipeline-minio-artifact"
    assert found.keys == ("accesskey", "secretkey")


def test_workload_identity_needs_no_secret() -> None:
    found = launcher.access(of_chart("gcs"))
    assert (found.scheme, found.root, found.secret) == ("gs", "gs://BUCKET/augstudy", "")


def test_the_first_override_that_fits_wins() -> None:
    data = of_chart("s3")
    assert launcher.access(data).secret == "augstudy-store"
    assert launcher.access(data, "s3://BUCKET/shared/runs").secret == "shared-store"
    assert launcher.access(data, "s3://OTHER/shared/runs").secret == "augstudy-store"
    assert launcher.access(data, "s3://BUCKET/x").url == "https://s3.eu-central-1.amazonaws.com"


def test_roots_with_a_query_use_the_environment() -> None:
    found = launcher.access(of_chart("s3"), "s3://BUCKET/a?region=eu-west-1")
    assert found.secret == ""


@pytest.mark.parametrize(
    ("providers", "root", "said"),
    [
        ("", "file:///data", "cannot keep artifacts"),
        ("", "bucket/runs", "cannot keep artifacts"),
        ("", "gs:///runs", "names no bucket"),
        ("a: [", "s3://b", "not valid YAML"),
        ("[]", "s3://b", "must be a mapping"),
        ("s3: 1", "s3://b", "without 'default'"),
        ("s3: {default: {endpoint: a}}", "s3://b", "default.credentials"),
        ("s3: {default: {credentials: {fromEnv: false}}}", "s3://b", "accessKeyKey"),
        ("gs: {default: {credentials: {secretRef: {secretName: a}}}}", "gs://b", "tokenKey"),
        (
            "s3: {default: {credentials: {fromEnv: true}}, overrides: [{bucketName: b}]}",
            "s3://b",
            "override",
        ),
    ],
)
def test_says_what_is_wrong(providers: str, root: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        launcher.access({"providers": providers}, root)
