"""The chart lints, changes only on purpose, suits an API server, and refuses nonsense."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from places import CHART, Run

GOLDEN = Path(__file__).parent / "golden"
FLAVOURS = {
    "default": [],
    **{
        name: ["-f", str(CHART / "ci" / f"{name}-values.yaml")]
        for name in ("gcs", "s3", "kind", "schedule")
    },
}
flavours = pytest.mark.parametrize("flavour", FLAVOURS)


@flavours
def test_lints(helm: Run, flavour: str) -> None:
    done = helm("lint", "--strict", str(CHART), *FLAVOURS[flavour])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


@flavours
def test_renders_as_before(template: Callable[..., str], flavour: str) -> None:
    text = template(*FLAVOURS[flavour])
    golden = GOLDEN / f"{flavour}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text(), "changed on purpose? then: make golden"


def test_every_values_file_has_its_golden() -> None:
    values = {path.name.removesuffix("-values.yaml") for path in (CHART / "ci").iterdir()}
    assert values | {"default"} == set(FLAVOURS) == {path.stem for path in GOLDEN.iterdir()}


@flavours
@pytest.mark.parametrize("namespace", ["kubeflow", "team-a"])
def test_an_api_server_would_take_it(
    template: Callable[..., str], kubecheck: Run, flavour: str, namespace: str
) -> None:
    done = kubecheck(template(*FLAVOURS[flavour], namespace=namespace))
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_switched_on(template: Callable[..., str], kubecheck: Run) -> None:
    """Options that no values file uses."""
    text = template(
        "--set-string", "image.tag=0123456789ab",
        "--set", "schedule.enabled=true,schedule.token=true,schedule.catchUp=true",
        "--set", "objectStore.credentials.existingSecret=,objectStore.credentials.accessKey=a",
        "--set", "objectStore.credentials.secretKey=b,image.pullSecrets={one,two}",
        "--set", "limitRange.default.memory=2Gi,commonLabels.team=vision",
        "--set", "networkPolicy.metadataServer.allow=always,rbac.secretNames={other}",
        "--set", "nodeSelector.pool=cpu,tolerations[0].key=a,tolerations[0].operator=Exists",
        "--set-json", 'networkPolicy.extraEgress=[{"ports":[{"port":5000}]}]',
        "--set-json",
        'rbac.extraRules=[{"apiGroups":[""],"resources":["events"],"verbs":["create"]}]',
    )  # fmt: skip
    done = kubecheck(text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "name: two" in text
    assert "audience: pipelines.kubeflow.org" in text


def test_everything_switched_off(template: Callable[..., str]) -> None:
    off = (
        "rbac.create=false,serviceAccount.create=false,launcher.create=never,gpuQuota.enabled=false"
    )
    more = "limitRange.enabled=false,networkPolicy.enabled=false,check.enabled=false"
    assert template("--set", off, "--set", more).strip() == ""


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("launcher.creat=auto", "creat"),
        ("images.tag=a", "images"),
        ("launcher.create=yes", "auto"),
        ("image.tag=latest", "/image/tag"),
        ("gpuQuota.count=many", "integer"),
        ("objectStore.pipelineRoot=file:///data", "/objectStore/pipelineRoot"),
        ("networkPolicy.kubernetesApi.cidrs={everywhere}", "cidrs"),
        ("schedule.cron=0 3 * * 1", "/schedule/cron"),
        ("schedule.maxConcurrency=11", "maxConcurrency"),
        ("image.tag=123456789012", "/image/tag"),  # a number: --set-string is needed
    ],
)
def test_refuses_a_wrong_value(helm: Run, setting: str, said: str) -> None:
    done = helm("template", str(CHART), "--set", setting)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("schedule.enabled=true", "make images"),
        ("objectStore.credentials.existingSecret=", "objectStore.credentials.accessKey"),
    ],
)
def test_says_what_is_missing(helm: Run, setting: str, said: str) -> None:
    done = helm("template", str(CHART), "--set", setting)
    assert done.returncode != 0
    assert said in done.stderr


def _wrong(change: str) -> str:
    """A pod that passes, but for one change in its YAML."""
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: b}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: main
      image: a:b
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
    before, _, after = change.partition(" => ")
    assert before in pod
    return pod.replace(before, after)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("image: a:b => imagee: a:b", 'unknown field "spec.containers[0].imagee"'),
        ("name: main => name: 7", "json"),
        ("name: main => name: Main", "Invalid value"),
        ("{name: a, namespace: b} => {name: a}", "no namespace"),
        ("kind: Pod => kind: Pot", "no kind"),
        ("apiVersion: v1 => apiVersion: v2", "no kind"),
        ("allowPrivilegeEscalation: false => allowPrivilegeEscalation: true", "restricted"),
        ("drop: [ALL] => drop: []", "unrestricted capabilities"),
        ("runAsNonRoot: true, => runAsUser: 0,", "runAsNonRoot"),
        ("type: RuntimeDefault => type: Unconfined", "seccomp"),
        ("  containers: =>   hostNetwork: true\n  containers:", "host namespaces"),
    ],
)
def test_the_check_refuses_what_an_api_server_would(kubecheck: Run, change: str, said: str) -> None:
    assert kubecheck(_wrong("image: a:b => image: a:b")).returncode == 0
    done = kubecheck(_wrong(change))
    assert done.returncode == 1
    assert said in done.stdout


def test_the_check_knows_every_kind_or_refuses_it(kubecheck: Run) -> None:
    text = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a, namespace: b}\n"
    done = kubecheck(text)
    assert done.returncode == 1
    assert "not known to kubecheck" in done.stdout


def test_the_check_refuses_an_invalid_policy(kubecheck: Run) -> None:
    text = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: b}
spec:
  podSelector: {}
  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [192.168.0.0/16]}}]}]
"""
    done = kubecheck(text)
    assert done.returncode == 1
    assert "except" in done.stdout


def test_no_secret_value_is_rendered_twice(objects: Callable[..., dict[str, dict]]) -> None:
    found = objects(*FLAVOURS["s3"])
    holders = [name for name, item in found.items() if "SECRET-KEY" in yaml.dump(item)]
    assert holders == ["Secret/augstudy-store"]
