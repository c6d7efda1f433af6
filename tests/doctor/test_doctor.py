"""``augstudy doctor``: a healthy cluster, and each thing that can be wrong with one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from healthy import IMAGE, POLICY, SLICES, SPACE, Doctor, Kfp, cpu_node, object_
from kube_server import KubeServer


def test_a_healthy_cluster(kube: KubeServer, doctor: Doctor) -> None:
    code, said = doctor(settings="checkpoints: gs://bucket/checkpoints")
    assert code == 0, said
    assert "0 wrong, 0 warning, 20 ok" in said
    for line in (
        "KFP has version 2.17.0",
        "namespace kubeflow exists",
        "service account augstudy exists",
        "artifacts go to minio://mlpipeline/v2/artifacts (kfp-launcher)",
        "secret mlpipeline-minio-artifact has accesskey and secretkey",
        "augstudy may do what the pods of a run must",
        "let runs reach what they need",
        "2 nvidia.com/gpu on 1 node",
        "trainings keep checkpoints in gs://bucket/checkpoints",
        "quota augstudy-gpus: 0 of 2 nvidia.com/gpu in use",
        f"a node has image {IMAGE} already",
    ):
        assert line in said


def test_without_a_store_for_checkpoints_a_lost_pod_costs_its_training(doctor: Doctor) -> None:
    code, said = doctor()
    assert code == 0, said
    assert "warning  a training whose pod is lost starts anew" in said
    assert "0 wrong, 1 warning, 19 ok" in said


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("restricted", "ok       Pod Security enforces restricted, which the steps pass"),
        ("baseline", "ok       Pod Security enforces baseline; the steps pass restricted, and"),
        ("privileged", "warning  Pod Security enforces privileged"),
    ],
)
def test_pod_security(kube: KubeServer, doctor: Doctor, level: str, said: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": level}
    kube.objects[SPACE]["metadata"]["labels"] = labels
    code, text = doctor()
    assert code == 0
    assert said in text


def test_asks_about_the_account_that_runs_use(kube: KubeServer, doctor: Doctor) -> None:
    doctor("--service-account", "augstudy")
    assert {review["user"] for review in kube.reviewed} == {
        "system:serviceaccount:kubeflow:augstudy"
    }
    asked = {
        (item["verb"], item["resource"], item["name"])
        for item in (review["resourceAttributes"] for review in kube.reviewed)
    }
    assert ("get", "secrets", "mlpipeline-minio-artifact") in asked
    assert ("create", "workflowtaskresults", "") in asked


def _no_gpus(kube: KubeServer) -> None:
    kube.remove("/api/v1/nodes/one")


def _bad_launcher(kube: KubeServer) -> None:
    kube.put(object_("ConfigMap", "kfp-launcher", data={"defaultPipelineRoot": "oci://a"}))


def _no_level(kube: KubeServer) -> None:
    kube.objects[SPACE]["metadata"]["labels"] = {}


def _short_secret(kube: KubeServer) -> None:
    kube.put(object_("Secret", "mlpipeline-minio-artifact", data={"accesskey": "YQ=="}))


def _no_controller(kube: KubeServer) -> None:
    kube.remove("/apis/apps/v1/namespaces/kubeflow/deployments/workflow-controller")


def _down(kube: KubeServer) -> None:
    kube.put(object_("Deployment", "ml-pipeline", "apps/v1", status={}))


def _elsewhere(kube: KubeServer) -> None:
    kube.objects[SLICES]["endpoints"] = [{"addresses": ["34.1.2.3"]}]


def _no_store(kube: KubeServer) -> None:
    rules = kube.objects[POLICY]["spec"]["egress"]
    rules[:] = [rule for rule in rules if "seaweedfs" not in json.dumps(rule)]


def _no_quota_left(kube: KubeServer) -> None:
    quota = f"{SPACE}/resourcequotas/augstudy-gpus"
    kube.objects[quota]["spec"]["hard"] = {"requests.nvidia.com/gpu": "0"}


def _great_quota(kube: KubeServer) -> None:
    quota = f"{SPACE}/resourcequotas/augstudy-gpus"
    kube.objects[quota]["spec"]["hard"] = {"requests.nvidia.com/gpu": "8"}


def _small_nodes(kube: KubeServer) -> None:
    node = cpu_node()
    node["status"]["allocatable"] = {"cpu": "500m", "memory": "2Gi"}
    kube.remove("/api/v1/nodes/one")
    kube.put(node)


def _unready(kube: KubeServer) -> None:
    for name in ("one", "two"):
        node = kube.objects[f"/api/v1/nodes/{name}"]
        node["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]


@pytest.mark.parametrize(
    ("harm", "said", "mended"),
    [
        (lambda kube: kube.remove(SPACE), "no namespace kubeflow", "kubectl create namespace"),
        (
            lambda kube: kube.remove(f"{SPACE}/serviceaccounts/augstudy"),
            "no service account augstudy",
            "helm upgrade --install",
        ),
        (
            lambda kube: kube.denied.add("create workflowtaskresults"),
            "augstudy may not create workflowtaskresults, so that Argo",
            "helm upgrade --install",
        ),
        (_bad_launcher, "cannot keep artifacts under 'oci://a'", "edit configmap kfp-launcher"),
        (
            lambda kube: kube.remove(f"{SPACE}/secrets/mlpipeline-minio-artifact"),
            "no secret mlpipeline-minio-artifact",
            "create secret generic mlpipeline-minio-artifact",
        ),
        (_short_secret, "lacks secretkey", "create secret generic"),
        (_no_controller, "no deployment workflow-controller", "install_kfp.sh"),
        (_down, "deployment ml-pipeline is not available", "describe deployment"),
        (
            _elsewhere,
            "keep runs from the Kubernetes API at 34.1.2.3 port 6443",
            "networkPolicy.kubernetesApi.cidrs={34.1.2.3/32}",
        ),
        (_no_store, "keep runs from the object store", "inClusterStore.enabled=true"),
        (_no_quota_left, "quota augstudy-gpus allows 0", "gpuQuota.count=1"),
        (_small_nodes, "no node has the 1 CPU and 2Gi", "cluster.yaml"),
        (_unready, "no ready node", "kubectl get nodes"),
    ],
)
def test_says_what_is_wrong_and_what_mends_it(
    kube: KubeServer, doctor: Doctor, harm: Callable[[KubeServer], None], said: str, mended: str
) -> None:
    harm(kube)
    code, text = doctor()
    assert code == 3
    (line,) = [index for index, one in enumerate(text.splitlines()) if said in one]
    assert text.splitlines()[line].startswith("wrong")
    assert mended in text.splitlines()[line + 1]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_no_gpus, "no node advertises nvidia.com/gpu"),
        (_no_level, "Pod Security enforces nothing"),
        (_great_quota, "allows 8 nvidia.com/gpu, but nodes have 2"),
        (lambda kube: kube.forbidden.add(f"{SPACE}/secrets"), "we may not read secret"),
        (
            lambda kube: kube.forbidden.add("/apis/authorization.k8s.io"),
            "we may not ask what augstudy may do",
        ),
    ],
)
def test_warns(
    kube: KubeServer, doctor: Doctor, harm: Callable[[KubeServer], None], said: str
) -> None:
    harm(kube)
    code, text = doctor()
    assert code == 0
    assert any(line.startswith("warning") and said in line for line in text.splitlines())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("gpus: 1\ngpu_node_selector: {pool: other}", "steps ask for other labels or taints"),
        ("gpus: 1\ngpu_tolerations: []", "steps ask for other labels or taints"),
        ("node_selector: {zone: b}", "no ready node has the labels and taints"),
        ("gpus: 1\ngpu_type: amd.com/gpu", "no node advertises amd.com/gpu"),
        ("training: {cpu: '64', cpu_limit: '64', memory: 2Gi, memory_limit: 8Gi}", "the 64 CPU"),
        ("image_pull_secrets: [registry]", "no pull secret registry"),
    ],
)
def test_settings_that_no_node_meets(doctor: Doctor, settings: str, said: str) -> None:
    code, text = doctor(settings=settings)
    assert code == 3
    assert said in text


def test_the_image_of_gpu_steps_counts_as_well(doctor: Doctor) -> None:
    code, text = doctor(settings="gpus: 1")
    assert code == 3
    assert f"no node lists image {IMAGE}-gpu" in text


def test_an_image_with_a_registry_is_pulled(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGSTUDY_IMAGE", f"registry.example/team/{IMAGE}")
    code, text = doctor()
    assert code == 0
    assert "will be pulled from registry.example" in text


def test_a_pull_secret_of_the_wrong_type(kube: KubeServer, doctor: Doctor) -> None:
    kube.put(object_("Secret", "registry", type="Opaque", data={}))
    code, text = doctor(settings="image_pull_secrets: [registry]")
    assert code == 3
    assert "has type Opaque" in text


def test_without_policies_nothing_is_kept_out(kube: KubeServer, doctor: Doctor) -> None:
    kube.objects[POLICY.rpartition("/")[0]] = []
    assert "no network policy limits" in doctor()[1]


def test_an_old_kfp(kfp: Kfp, doctor: Doctor) -> None:
    kfp.version = "2.3.0"
    code, text = doctor()
    assert code == 0
    assert "KFP has version 2.3.0; 2.17" in text


@pytest.mark.parametrize(
    ("status", "said"), [(401, "refuses the token"), (404, "not Kubeflow Pipelines")]
)
def test_a_kfp_that_refuses(kfp: Kfp, doctor: Doctor, status: int, said: str) -> None:
    kfp.status = status
    code, text = doctor("--token", "verysecret")
    assert code == 3
    assert said in text
    assert "verysecret" not in text


def test_kfp_of_several_users(kfp: Kfp, doctor: Doctor) -> None:
    kfp.multi_user = True
    code, text = doctor()
    assert code == 3
    assert "has several users: give --namespace" in text
    assert "a namespace of their own" in doctor("--namespace", "kubeflow")[1]


def test_standalone_kfp_runs_in_its_own_namespace(doctor: Doctor) -> None:
    code, text = doctor("--namespace", "team-a")
    assert code == 3
    assert "runs pipelines in its own namespace, kubeflow" in text


def test_nothing_where_kfp_should_be(doctor: Doctor) -> None:
    code, text = doctor(host="http://127.0.0.1:9")
    assert code == 3
    assert "Nothing answers at http://127.0.0.1:9" in text
    assert "port-forward svc/ml-pipeline-ui 8080:80" in text


def test_a_cluster_that_is_gone(
    kube: KubeServer, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kube.url = "https://127.0.0.1:9"
    monkeypatch.setenv("KUBECONFIG", str(kube.kubeconfig(tmp_path / "gone")))
    code, text = doctor()
    assert code == 3
    assert "The Kubernetes API at https://127.0.0.1:9 does not answer" in text
    assert "1 wrong, 0 warning" in text  # not once a check


@pytest.mark.parametrize(
    ("kubeconfig", "options", "said"),
    [
        (None, [], "There is no kubeconfig"),
        ("kubeconfig", ["--context", "other"], "no context 'other'"),
    ],
)
def test_a_wrong_kubeconfig(
    doctor: Doctor,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kubeconfig: str | None,
    options: list[str],
    said: str,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / (kubeconfig or "nothing")))
    code, text = doctor(*options)
    assert code == 2
    assert said in text
