"""The client of the Kubernetes API, with a kubeconfig and in a pod: what answers is checked."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kube_server import TOKEN, KubeServer

from augstudy.cluster import kube as kubernetes
from augstudy.cluster.kube import Cluster, ForbiddenError
from augstudy.core.errors import InputError, ServiceError

SPACE = "/api/v1/namespaces/team-a"
CALLS: dict[str, Callable[[Cluster], Any]] = {
    "get": lambda cluster: cluster.get(f"{SPACE}/pods/one"),
    "items": lambda cluster: cluster.items(f"{SPACE}/pods", labelSelector="a=b"),
    "create": lambda cluster: cluster.create("/apis/x/v1/accessreviews", {"spec": {}}),
    "may": lambda cluster: cluster.may({"verb": "get", "resource": "pods"}),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[KubeServer]:
    with KubeServer(tmp_path) as found:
        yield found


@pytest.fixture(params=["kubeconfig", "pod"])
def cluster(
    request: pytest.FixtureRequest,
    server: KubeServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Cluster:
    """The same client, both ways to be somebody."""
    if request.param == "kubeconfig":
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        return Cluster()
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "namespace").write_text("team-a\n")
    monkeypatch.setattr(kubernetes, "ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    return Cluster(in_pod=True)


def test_reads_and_asks(server: KubeServer, cluster: Cluster) -> None:
    server.objects[f"{SPACE}/pods/one"] = {"kind": "Pod"}
    server.objects[f"{SPACE}/pods"] = [{"kind": "Pod"}]
    server.denied.add("delete pods")
    assert cluster.get(f"{SPACE}/pods/one") == {"kind": "Pod"}
    assert cluster.get(f"{SPACE}/pods/two") is None
    assert cluster.items(f"{SPACE}/pods") == [{"kind": "Pod"}]
    assert cluster.items(f"{SPACE}/secrets") == []
    assert cluster.may({"verb": "get", "resource": "pods"})
    assert not cluster.may({"verb": "delete", "resource": "pods"})
    server.forbidden.add(SPACE)
    with pytest.raises(ForbiddenError, match="We may not get /api/v1/namespaces/team-a/pods/one"):
        cluster.get(f"{SPACE}/pods/one")


@every_call
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_token_follows_a_redirect(
    server: KubeServer, cluster: Cluster, call: Callable[..., Any], status: int, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    with KubeServer(tmp_path / "other") as other:
        for place in (f"{other.url}/version", other.url.replace("https", "http")):
            server.instead = status, "text/plain", b"", place
            with pytest.raises(ServiceError, match="wants a login"):
                call(cluster)
        assert not other.requests


@every_call
@pytest.mark.parametrize(
    ("status", "kind", "body", "said"),
    [
        (200, "text/html", b"<html>Sign in</html>", "wants a login"),
        (404, "text/html", b"<html>Not here</html>", "wants a login"),
        (200, "application/json", b"[]", "is not the Kubernetes API"),
        (200, "application/json", b"{", "is not the Kubernetes API"),
        (200, "application/json", b"\xff", "is not the Kubernetes API"),
        (401, "application/json", b"{}", "refuses .*HTTP 401"),
        (500, "application/json", b"{}", "refuses .*HTTP 500"),
    ],
)
def test_what_is_not_its_answer_is_an_error(
    server: KubeServer,
    cluster: Cluster,
    call: Callable[..., Any],
    status: int,
    kind: str,
    body: bytes,
    said: str,
) -> None:
    server.instead = status, kind, body, ""
    with pytest.raises(ServiceError, match=said):
        call(cluster)


@every_call
def test_an_authority_that_is_not_ours(
    server: KubeServer, call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load(server.kubeconfig(tmp_path / "kubeconfig").read_text())
    del content["clusters"][0]["cluster"]["certificate-authority-data"]
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    with pytest.raises(ServiceError, match="does not answer"):
        call(Cluster())
    assert not server.requests


def test_no_token_travels_unencrypted(
    server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.url = "http://kubernetes.example"
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
    with pytest.raises(InputError, match=r"would travel to http://kubernetes\.example unencrypted"):
        Cluster().get("/version")


def test_the_namespace_of_the_context(
    server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load(server.kubeconfig(tmp_path / "kubeconfig").read_text())
    content["contexts"][0]["context"]["namespace"] = "team-b"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    assert Cluster().namespace == Cluster("test").namespace == "team-b"
