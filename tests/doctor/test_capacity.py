"""``augstudy doctor`` counts the training pods that fit now, and reads Argo's own settings."""

from typing import Any

import pytest
import yaml
from healthy import SPACE, Doctor, object_
from kube_server import KubeServer

FITS = "beside what runs"


def pod(name: str, on: str = "one", phase: str = "Running", **spec: Any) -> dict[str, Any]:
    found = object_("Pod", name, spec={"nodeName": on, **spec}, status={"phase": phase})
    found["metadata"]["namespace"] = "others"
    return found


def container(**requests: str) -> dict[str, Any]:
    return {"resources": {"requests": requests}}


def run(kube: KubeServer, *pods: dict[str, Any]) -> None:
    """Pods of all namespaces, as the API lists them at once."""
    kube.objects["/api/v1/pods"] = list(pods)


def lines(text: str, words: str = FITS) -> list[str]:
    return [line for line in text.splitlines() if words in line]


def test_an_empty_cluster(doctor: Doctor) -> None:
    """Two nodes of 7.91 CPU and 30 GiB, 2 GPUs; a pod takes 1 CPU, and Argo's container 0.01."""
    code, text = doctor()
    assert code == 0
    assert lines(text) == [
        "ok       14 training pods fit beside what runs (1.01 CPU, 2.03 GiB each)",
        "ok       2 training pods fit beside what runs (1.01 CPU, 2.03 GiB, 1 nvidia.com/gpu each)",
    ]


def test_what_runs_is_taken_away(kube: KubeServer, doctor: Doctor) -> None:
    run(
        kube,
        pod(
            "a", containers=[container(cpu="5", memory="1Gi"), container(**{"nvidia.com/gpu": "1"})]
        ),
        pod("over", phase="Succeeded", containers=[container(cpu="7")]),
        pod("waiting", on="", phase="Pending", containers=[container(cpu="7")]),
        pod("b", on="two", containers=[container(memory="25Gi")]),
    )
    _, text = doctor()
    assert [line[:11] for line in lines(text)] == ["ok       4 ", "ok       1 "]


@pytest.mark.parametrize(
    ("spec", "fitting"),
    [
        # An init container needs what it asks for while it runs, a sidecar for ever.
        ({"containers": [container(cpu="1")], "initContainers": [container(cpu="5")]}, 2),
        (
            {
                "containers": [container(cpu="3")],
                "initContainers": [{**container(cpu="3"), "restartPolicy": "Always"}],
            },
            1,
        ),
        ({"containers": [container(cpu="3")], "overhead": {"cpu": "2"}}, 2),
        ({"containers": [{}]}, 7),
    ],
)
def test_what_a_pod_requests(
    kube: KubeServer, doctor: Doctor, spec: dict[str, Any], fitting: int
) -> None:
    kube.remove("/api/v1/nodes/two")
    kube.objects["/api/v1/nodes/one"]["spec"] = {}
    run(kube, pod("other", **spec))
    assert lines(doctor()[1])[0].startswith(f"ok       {fitting} training pod")


def test_a_node_takes_so_many_pods_and_no_more(kube: KubeServer, doctor: Doctor) -> None:
    for name in ("one", "two"):
        kube.objects[f"/api/v1/nodes/{name}"]["status"]["allocatable"]["pods"] = "3"
    run(kube, pod("a"), pod("b", on="two"), pod("c", on="two"))
    assert lines(doctor()[1])[0].startswith("ok       3 training pods")


def test_a_full_cluster(kube: KubeServer, doctor: Doctor) -> None:
    run(kube, *(pod(name, on=name, containers=[container(cpu="7")]) for name in ("one", "two")))
    code, text = doctor()
    assert code == 0
    found = lines(text)
    assert [line.split()[0] for line in found] == ["warning", "warning"]
    assert "no training pod fits" in found[0] and "it would wait" in found[0]


def test_gpus_that_others_hold(kube: KubeServer, doctor: Doctor) -> None:
    run(kube, pod("other", containers=[container(**{"nvidia.com/gpu": "2"})]))
    _, text = doctor(settings="gpus: 1")
    assert lines(text)[-1].startswith("warning  no training pod fits")
    assert "1 nvidia.com/gpu" in lines(text)[-1]


def test_what_a_training_asks_for(doctor: Doctor) -> None:
    """Two GPUs each: one pod; and with GPUs asked for, only GPU nodes count."""
    settings = "gpus: 2\ngpu_node_selector: {pool: gpu}\ntraining: {cpu: '3', cpu_limit: '4', "
    settings += "memory: 9Gi, memory_limit: 9Gi}"
    _, text = doctor(settings=settings)
    assert lines(text) == [
        "ok       2 training pods fit beside what runs (3.01 CPU, 9.03 GiB each)",
        "ok       1 training pod fits beside what runs (3.01 CPU, 9.03 GiB, 2 nvidia.com/gpu)",
    ]


@pytest.mark.parametrize(
    ("hard", "used", "fitting"),
    [
        ({"requests.cpu": "4"}, {"requests.cpu": "1500m"}, 2),
        ({"memory": "10Gi"}, {}, 4),
        ({"limits.cpu": "6"}, {}, 3),
        ({"limits.memory": "8Gi"}, {}, 1),
        ({"pods": "5"}, {"pods": "4"}, 1),
        ({"requests.storage": "1Gi"}, {}, 14),
    ],
)
def test_quotas(
    kube: KubeServer,
    doctor: Doctor,
    hard: dict[str, str],
    used: dict[str, str],
    fitting: int,
) -> None:
    kube.put(object_("ResourceQuota", "team", spec={"hard": hard}, status={"used": used}))
    line = lines(doctor()[1])[0]
    assert line.startswith(f"ok       {fitting} training pod")
    assert ("quota team allows no more" in line) == (fitting != 14)


def test_a_quota_of_gpus_in_use(kube: KubeServer, doctor: Doctor) -> None:
    quota = kube.objects[f"{SPACE}/resourcequotas/augstudy-gpus"]
    quota["status"] = {"used": {"requests.nvidia.com/gpu": "2"}}
    code, text = doctor()
    assert code == 0
    line = lines(text)[-1]
    assert line.startswith("warning  no training pod fits")
    assert "quota augstudy-gpus allows no more" in line
    assert "describe resourcequota augstudy-gpus" in text


def test_pods_that_we_may_not_list(kube: KubeServer, doctor: Doctor) -> None:
    kube.forbidden.add("/api/v1/pods")
    code, text = doctor()
    assert code == 0
    assert lines(text, "may not list the pods")[0].startswith("warning")


def argo(kube: KubeServer, **data: Any) -> None:
    texts = {name: yaml.safe_dump(value) for name, value in data.items()}
    kube.put(object_("ConfigMap", "workflow-controller-configmap", data=texts))


def retries(policy: str | None) -> dict[str, Any]:
    return {"spec": {"templateDefaults": {"retryStrategy": {"retryPolicy": policy}}}}


def test_the_defaults_of_kfps_argo(doctor: Doctor) -> None:
    _, text = doctor(settings="ttl_s: 259200")
    (line,) = lines(text, "Argo retries")
    assert line.startswith(
        "ok       Argo retries pods that are lost (2 times), not steps that fail"
    )
    (line,) = lines(text, "are kept")
    assert "are kept 3 days (ttl_s)" in line and "1 h 00 min, which is Argo's default" in line


@pytest.mark.parametrize(
    ("defaults", "said"),
    [
        (retries("Always"), "warning  Argo retries whatever does not succeed"),
        (retries("OnFailure"), "warning  Argo does not retry pods that are lost"),
        ({}, "warning  Argo does not retry pods that are lost (retryPolicy OnFailure)"),
        (retries("OnError"), "ok       Argo retries pods that are lost"),
        ({"spec": {"podGC": {"strategy": "OnPodCompletion"}}}, "warning  Argo deletes pods"),
    ],
)
def test_other_defaults_of_argo(
    kube: KubeServer, doctor: Doctor, defaults: dict[str, Any], said: str
) -> None:
    argo(kube, workflowDefaults=defaults)
    code, text = doctor()
    assert code == 0
    assert said in text
    assert "are kept 7 days (ttl_s)\n" in text
    # The controller may have all its settings in one key.
    argo(kube, config={"workflowDefaults": defaults})
    assert said in doctor()[1]


def test_settings_of_argo_that_cannot_be_read(kube: KubeServer, doctor: Doctor) -> None:
    path = "/api/v1/namespaces/kubeflow/configmaps/workflow-controller-configmap"
    kube.forbidden.add(path)
    assert lines(doctor()[1], "Argo's defaults are not known")[0].startswith("warning")
    kube.forbidden.clear()
    broken = {"workflowDefaults": "a: ["}
    kube.put(object_("ConfigMap", "workflow-controller-configmap", data=broken))
    code, text = doctor()
    assert code == 3 and "is not valid YAML" in text


def test_what_argos_own_container_requests(kube: KubeServer, doctor: Doctor) -> None:
    argo(kube, executor={"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}})
    assert "(1.5 CPU, 3.00 GiB each)" in lines(doctor()[1])[0]
