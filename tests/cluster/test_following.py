"""Why a run failed or waits is said by ``submit --wait``, as far as KFP and Kubernetes tell it."""

import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kfp_runs import Ending, Workflow, failed_runtime, failed_step
from kfp_server import BAD, GOOD, KfpServer, Reply
from kube_server import KubeServer
from said import SMALL, Program, Said

from augstudy.cluster import following, ir, steps
from augstudy.cluster.kfp_answers import Task
from augstudy.cluster.nodes import Nodes, _hash
from augstudy.cluster.reasons import last_sentence

FORKED = str(Path(__file__).parent / "forked.py")
WAITING = ("PENDING", "RUNNING", "RUNNING", "RUNNING", "SUCCEEDED")
NO_ACCOUNT = 'error looking up service account kubeflow/nobody: serviceaccount "nobody" not found'


def submit(kfp: KfpServer, program: Program, ending: Ending, *more: str, file: str = SMALL) -> Said:
    """Submit a run that goes as `ending` says, and follow it."""
    kfp.states = [BAD]
    kfp.endings = [ending]
    return program("submit", file, "--wait", "--poll", "0.01", *more)


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeServer]:
    """The cluster of the runs, which the kubeconfig leads to."""
    with KubeServer(tmp_path) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        yield server


def workflow(kube: KubeServer, status: dict[str, Any]) -> None:
    path = "/apis/argoproj.io/v1alpha1/namespaces/kubeflow/workflows"
    kube.objects[path] = [{"metadata": {"name": "small-x7k2p"}, "status": status}]


def pod(kube: KubeServer, status: dict[str, Any]) -> None:
    kube.objects["/api/v1/namespaces/kubeflow/pods"] = [
        {"metadata": {"name": "one"}, "status": {"phase": "Pending", **status}}
    ]


BUCKET = (
    'failed to execute component: failed to upload output artifact: blob (key "a") '
    "(code=NotFound): googleapi: Error 404: The specified bucket does not exist., notFound"
)
CREDENTIALS = (
    "KFP driver: driver.RootDAG(pipelineName=small) failed: failed to access the bucket: "
    "InvalidAccessKeyId: The Access Key Id you provided does not exist in our records."
)
BAD_SOURCE = "There is no folder gs://drawings/nowhere: check --source."
DRIVER = "KFP driver: driver.Container(pipelineName=small) failed: parent DAG has no input 'level'"


@pytest.mark.parametrize("retries", [True, False])
@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (Ending("ingest", failed_runtime(BUCKET)), f"ingest failed: {BUCKET}"),
        (
            Ending("root-driver", failed_runtime(CREDENTIALS)),
            f"the driver of the run failed: {CREDENTIALS.rstrip('.')}; a driver is KFP's own pod",
        ),
        (
            Ending("ingest", failed_step("ingest", BAD_SOURCE, 2)),
            f"ingest failed: {BAD_SOURCE}",
        ),
        (
            Ending("root-driver", None),
            "the driver of the run failed: its log is gone; a driver is KFP's own pod that "
            "prepares a task, so look at the service account",
        ),
        (
            Ending("ingest-driver", failed_runtime(DRIVER)),
            f"the driver of ingest failed: {DRIVER}; a driver is KFP's own pod",
        ),
    ],
    ids=["missing bucket", "wrong credentials", "bad source", "no service account", "bad driver"],
)
def test_ways_to_fail(
    kfp: KfpServer, program: Program, ending: Ending, said: str, retries: bool
) -> None:
    ending.retries = retries
    done = submit(kfp, program, ending)
    assert done.code == 1
    assert said in done.out
    (run,) = kfp.runs
    assert f"failed: {said.split(' failed: ')[0]} failed: " in done.err
    assert f"its logs are at {kfp.url}/#/runs/details/{run}" in done.err


def test_a_deadline(kfp: KfpServer, program: Program) -> None:
    done = submit(kfp, program, Ending("evaluate-2", "INFO launch\n", took_s=7201), file=FORKED)
    assert done.code == 1
    reason = "it reached its deadline of 2 h 00 min: deadline_s in the cluster settings"
    assert f"failed ({reason})" in done.out and reason in done.err


def test_what_a_deadline_stops_has_not_failed(kfp: KfpServer, program: Program) -> None:
    ending = Ending("evaluate-2", "INFO launch\n", took_s=7201, step_took_s=7200)
    done = submit(kfp, program, ending, file=FORKED)
    assert "evaluate chosen was stopped" in done.out
    assert "evaluate chosen failed" not in done.out


def test_a_step_has_a_time_limit_of_its_own(kfp: KfpServer, program: Program) -> None:
    done = submit(kfp, program, Ending("evaluate", "INFO launch\n", step_took_s=600), file=FORKED)
    assert "evaluate base failed: it reached its time limit of 10 min 00 s: timeout_s" in done.out


def test_a_termination(kfp: KfpServer, program: Program) -> None:
    kfp.states = [("PENDING", "RUNNING", "CANCELING", "FAILED")]
    kfp.endings = [Ending("ingest", "INFO launch\n")]
    done = program("submit", SMALL, "--wait", "--poll", "0.01")
    assert done.code == 1
    assert "ingest was stopped" in done.out and "ingest failed" not in done.out
    assert "terminated (somebody terminated it, in the dashboard or through the API)" in done.out
    assert "was terminated: somebody terminated it" in done.err


def test_the_end_of_a_run_that_nobody_explains(kfp: KfpServer, program: Program) -> None:
    done = submit(kfp, program, Ending(fails=""))
    assert done.code == 1
    assert "failed (no step says why, so it may have been terminated from outside)" in done.out


def test_steps_have_the_names_that_people_gave_them(kfp: KfpServer, program: Program) -> None:
    kfp.states = [GOOD]
    done = program("submit", FORKED, "--wait", "--poll", "0.01")
    assert done.code == 0, done.err
    for title in ("ingest", "evaluate base", "evaluate chosen", "evaluate cell (2)"):
        assert f": {title} done" in done.out
    assert "evaluate-" not in done.out and "driver" not in done.out


@pytest.mark.parametrize(("tries", "retries"), [(1, True), (3, True), (1, False)])
@pytest.mark.parametrize(
    ("fails", "title"),
    [
        ("ingest", "ingest"),
        ("evaluate", "evaluate base"),
        ("evaluate-2", "evaluate chosen"),
        ("evaluate-2-driver", "the driver of evaluate chosen"),
        ("evaluate-3-driver", "the driver of evaluate cell (2)"),
        ("evaluate-3", "evaluate cell (2)"),
        ("iteration-driver", "the driver of a loop"),
        ("iteration-item-driver", "the driver of a round of a loop (2)"),
        ("root-driver", "the driver of the run"),
    ],
)
def test_the_pod_is_found_wherever_the_step_stands(
    kfp: KfpServer, program: Program, fails: str, title: str, tries: int, retries: bool
) -> None:
    log = failed_step("x", "why it failed.", 3)
    done = submit(kfp, program, Ending(fails, log, tries=tries, retries=retries), file=FORKED)
    assert done.code == 1
    assert f"{title} failed: why it failed" in done.out


@pytest.mark.parametrize("retries", [True, False])
def test_each_task_has_its_own_pods(retries: bool) -> None:
    """Two rounds of a loop have a step of the same name; each has the log of its own pod."""
    golden = Path(__file__).parents[1] / "pipelines" / "golden" / "augmentation_study.yaml"
    spec, platform = ir.load(golden)
    ending = Ending("evaluate", "why", tries=3, retries=retries)
    name = "augmentation-study-x7k2p"
    workflow = Workflow(name, spec, ending, datetime.datetime(2026, 11, 2))
    tasks = [Task.model_validate(item) for item in workflow.tasks(False, False)]
    nodes, step = Nodes(tasks), steps.read(spec, platform).steps["evaluate"]
    mine = [
        nodes.step_pods(item, step.template) for item in tasks if item.display_name == "evaluate"
    ]
    assert len(mine) == 2 and all(len(pods) == (3 if retries else 1) for pods in mine)
    assert {pod for pods in mine for pod in pods} == set(workflow.logs)
    if retries:
        # The last try comes first.
        assert {workflow.logs[pods[0]] for pods in mine} == {"why"}


@pytest.mark.parametrize(
    ("text", "number"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)]
)
def test_ids_are_hashed_as_go_does(text: str, number: int) -> None:
    """Published values of FNV-1a."""
    assert _hash(text) == number
    assert _hash(text[3:], _hash(text[:3])) == number


def test_through_the_dashboard_logs_are_at_another_address(
    kfp: KfpServer, program: Program
) -> None:
    kfp.is_dashboard = True
    done = submit(kfp, program, Ending("ingest", failed_step("ingest", BAD_SOURCE, 2)))
    assert f"ingest failed: {BAD_SOURCE}" in done.out


def test_a_log_that_is_gone(kfp: KfpServer, program: Program) -> None:
    done = submit(kfp, program, Ending("ingest", None))
    assert "ingest failed: its log cannot be had any more; see kubectl describe" in done.out


def test_a_log_that_a_login_page_hides(kfp: KfpServer, program: Program) -> None:
    kfp.instead["GET log"] = Reply(200, b"<html>log in</html>", "text/html")
    done = submit(kfp, program, Ending())
    assert done.code == 1 and "ingest failed: its log cannot be had" in done.out


def test_neither_secrets_nor_escapes_of_a_log_are_shown(
    kfp: KfpServer, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGSTUDY_KFP_TOKEN", "tok-5d41402abc4b")
    sentence = "no \x1b[2Jaccess\x07 with tok-5d41402abc4b to https://me:pass@store/ [bold]x"
    done = submit(kfp, program, Ending("ingest", failed_step("ingest", sentence, 3)))
    assert "failed: no [2Jaccess with *** to https://***@store/ [bold]x" in done.out
    assert "tok-5d41402abc4b" not in done.err and "\x1b[2J" not in done.err


def test_kubernetes_says_why_there_was_no_pod(
    kfp: KfpServer, kube: KubeServer, program: Program
) -> None:
    node = {"displayName": "root-driver(0)", "phase": "Error", "message": NO_ACCOUNT}
    workflow(kube, {"phase": "Error", "nodes": {"a": node}})
    done = submit(kfp, program, Ending("root-driver", None))
    assert f"the driver of the run failed: {NO_ACCOUNT}; a driver is" in done.out


UNSCHEDULABLE = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
PULL = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "augstudy:1"'}
QUOTA = 'pods "x" is forbidden: exceeded quota: augstudy-gpus, requested: requests.nvidia.com/gpu=3'


def _unschedulable(kube: KubeServer) -> str:
    condition = {"type": "PodScheduled", "status": "False", "message": UNSCHEDULABLE}
    pod(kube, {"conditions": [condition]})
    return UNSCHEDULABLE


def _no_image(kube: KubeServer) -> str:
    pod(kube, {"containerStatuses": [{"state": {"waiting": PULL}}]})
    return f"{PULL['reason']}: {PULL['message']}"


def _quota(kube: KubeServer) -> str:
    workflow(kube, {"nodes": {"a": {"phase": "Pending", "message": QUOTA}}})
    return QUOTA


@pytest.mark.parametrize("waits", ["ingest", "ingest-driver", "root-driver"])
@pytest.mark.parametrize("cause", [_unschedulable, _no_image, _quota])
def test_a_pod_that_waits_for_long(
    kfp: KfpServer,
    kube: KubeServer,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    cause: Any,
    waits: str,
) -> None:
    monkeypatch.setattr(following, "_PENDING_S", 0.0)
    why = cause(kube)
    kfp.states, kfp.endings = [WAITING], [Ending("", waits=waits)]
    done = program("submit", SMALL, "--wait", "--poll", "0.01")
    assert done.code == 0, done.err
    (run,) = kfp.runs
    assert set(kube.queries) == {f"labelSelector=pipeline/runid={run}"}
    shown = {"ingest": "a pod of ingest", "ingest-driver": "the driver of ingest"}
    title = shown.get(waits, "the driver of the run")
    assert f"{title} has been pending for 0.0 s: {why}" in done.out
    command = f"kubectl describe workflow,pods --namespace kubeflow --selector pipeline/runid={run}"
    assert done.out.count(command) == 1


@pytest.mark.parametrize("kubeconfig", ["absent", "another cluster", "no rights"])
def test_without_kubernetes_a_waiting_pod_is_told_all_the_same(
    kfp: KfpServer,
    kube: KubeServer,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    kubeconfig: str,
) -> None:
    monkeypatch.setattr(following, "_PENDING_S", 0.0)
    if kubeconfig == "absent":
        monkeypatch.setenv("KUBECONFIG", os.devnull)
    elif kubeconfig == "no rights":
        kube.forbidden.add("/api")
    kfp.states, kfp.endings = [WAITING], [Ending("", waits="ingest")]
    done = program("submit", SMALL, "--wait", "--poll", "0.01")
    assert done.code == 0, done.err
    assert "a pod of ingest has been pending for 0.0 s to see why: kubectl" in done.out


@pytest.mark.parametrize(("poll_s", "told"), [(59, False), (61, True)])
def test_a_pod_that_waits_is_told_after_two_minutes(
    kfp: KfpServer, program: Program, monkeypatch: pytest.MonkeyPatch, poll_s: int, told: bool
) -> None:
    """It is seen three times; the clock moves by `poll_s` in between."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr(following, "time", clock)
    kfp.states, kfp.endings = [WAITING], [Ending("", waits="ingest")]
    done = program("submit", SMALL, "--wait", "--poll", str(poll_s))
    assert done.code == 0, done.err
    assert ("has been pending for 2 min 02 s" in done.out) is told
    assert ("has been pending" in done.out) is told


def test_a_pod_that_waits_for_a_moment_is_not_told(kfp: KfpServer, program: Program) -> None:
    kfp.states, kfp.endings = [WAITING], [Ending("", waits="ingest")]
    done = program("submit", SMALL, "--wait", "--poll", "0.01")
    assert done.code == 0 and "has been pending" not in done.out


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("", ""),
        (failed_step("train add:1", "no GPU: use GPUS=0.", 3), "no GPU: use GPUS=0."),
        ("INFO launch\ntrain failed: it is full.\n", "it is full."),
        ("INFO launch\nKilled\n", "Killed"),
        (failed_runtime("failed to execute component: signal: killed"), None),
        ("ingest failed: an old try\n" + failed_runtime("cannot publish"), "cannot publish"),
    ],
)
def test_the_sentence_of_a_log(log: str, sentence: str | None) -> None:
    expected = "failed to execute component: signal: killed" if sentence is None else sentence
    assert last_sentence(log) == expected
