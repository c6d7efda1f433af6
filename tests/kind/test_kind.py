"""The scripts of ``make kind-up`` and ``kind-down``, with programs that only take notes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts" / "kind"
FAKE = Path(__file__).parent / "fakes" / "program.py"
IMAGE = "augstudy-python:0123456789ab"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The part of the repository that the scripts use, so that they write nothing into ours."""
    for name in ("scripts/kind", "charts"):
        shutil.copytree(ROOT / name, tmp_path / "checkout" / name)
    return tmp_path / "checkout"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "images").write_text(IMAGE)
    return folder


@pytest.fixture
def run(checkout: Path, state: Path, tmp_path: Path) -> Iterator[Run]:
    """Runs a script; `settings` go to its environment."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("docker", "kind", "kubectl", "helm"):
        program = programs / name
        program.write_text(f"#!{sys.executable}\n{FAKE.read_text()}")
        program.chmod(0o755)
    ports = {"UI_PORT": str(_free_port()), "STORE_PORT": str(_free_port())}

    def start(script: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "FAKE_STATE": str(state),
            "IMAGE": IMAGE,
            **ports,
            **settings,
        }
        return subprocess.run(
            [checkout / "scripts" / "kind" / f"{script}.sh", *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    yield start
    for path in checkout.glob(".tools/port-forward/*.pid"):
        os.kill(int(path.read_text()), signal.SIGTERM)


@pytest.fixture
def asked(state: Path) -> Callable[[], list[str]]:
    """What the programs were asked since the last time."""

    def read() -> list[str]:
        path = state / "asked"
        text = path.read_text() if path.exists() else ""
        path.write_text("")
        return text.splitlines()

    return read


def _index(lines: list[str], start: str) -> int:
    found = [index for index, line in enumerate(lines) if line.startswith(start)]
    assert found, f"nobody asked for: {start}\n" + "\n".join(lines)
    return found[0]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_up_from_nothing(run: Run, asked: Callable[[], list[str]]) -> None:
    done = run("up")
    assert done.returncode == 0, done.stderr
    lines = asked()
    kubectl = "kubectl --context kind-augstudy"
    steps = [
        "docker info",
        "kind create cluster --name augstudy --config charts/kind/cluster.yaml",
        f"{kubectl} patch node/one --subresource=status",
        f"{kubectl} apply --kustomize github.com/kubeflow/pipelines/manifests/kustomize/"
        "cluster-scoped-resources?ref=2.17.0",
        f"{kubectl} wait crd/",
        f"{kubectl} apply --kustomize github.com/kubeflow/pipelines/manifests/kustomize/"
        "env/platform-agnostic?ref=2.17.0",
        f"{kubectl} wait deployment --all --namespace kubeflow",
        f"kind load docker-image {IMAGE} --name augstudy",
        "helm upgrade --install augstudy charts/augstudy --kube-context kind-augstudy",
        "helm test augstudy --kube-context kind-augstudy",
        f"{kubectl} --namespace kubeflow port-forward svc/ml-pipeline-ui",
        f"{kubectl} --namespace kubeflow port-forward svc/seaweedfs",
    ]
    places = [_index(lines, step) for step in steps]
    assert places == sorted(places)
    upgrade = lines[_index(lines, "helm upgrade")]
    assert "--values charts/augstudy/ci/kind-values.yaml" in upgrade
    assert "--set-string image.tag=0123456789ab" in upgrade
    assert "make submit" in done.stdout


def test_up_again_creates_nothing_anew(run: Run, asked: Callable[[], list[str]]) -> None:
    assert run("up").returncode == 0
    asked()
    done = run("up")
    assert done.returncode == 0, done.stderr
    again = "\n".join(asked())
    for what in ("create cluster", "patch", "port-forward svc"):
        assert what not in again
    assert "node/one has 2" in done.stdout
    assert "already at localhost" in done.stdout


def test_an_existing_cluster(run: Run, asked: Callable[[], list[str]], tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("{}")
    done = run("up", KUBECONTEXT="prod", VALUES="mine.yaml", NAMESPACE="ml")
    assert done.returncode == 0, done.stderr
    lines = asked()
    assert not [line for line in lines if line.startswith(("kind ", "docker "))]
    assert not [line for line in lines if " patch " in line]
    for line in lines:
        flag = "--context prod" if line.startswith("kubectl") else "--kube-context prod"
        assert flag in line
    upgrade = lines[_index(lines, "helm upgrade")]
    assert f"--values {tmp_path}/mine.yaml" in upgrade
    assert "--namespace ml" in upgrade
    assert run("down", KUBECONTEXT="prod", NAMESPACE="ml").returncode == 0
    lines = asked()
    assert not [line for line in lines if line.startswith("kind ")]
    assert "helm uninstall augstudy --kube-context prod --namespace ml" in "\n".join(lines)


def test_an_empty_context_means_the_kind_cluster(run: Run, asked: Callable[[], list[str]]) -> None:
    assert run("up", KUBECONTEXT="").returncode == 0  # as make hands it on
    assert "kind create cluster" in "\n".join(asked())


def test_down(run: Run, asked: Callable[[], list[str]], checkout: Path) -> None:
    assert run("up").returncode == 0
    pids = [int(path.read_text()) for path in checkout.glob(".tools/port-forward/*.pid")]
    assert len(pids) == 2
    asked()
    done = run("down")
    assert done.returncode == 0, done.stderr
    assert "kind delete cluster --name augstudy" in asked()
    assert not list(checkout.glob(".tools/port-forward/*.pid"))
    assert run("down").returncode == 0  # again
    deadline = time.monotonic() + 60  # a signal may take its time
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline, "a port forward was not ended"
        time.sleep(0.05)


def test_a_stale_pid_is_not_trusted(run: Run, checkout: Path) -> None:
    assert run("port_forward").returncode == 0
    (pid, _) = sorted(checkout.glob(".tools/port-forward/*.pid"))
    os.kill(int(pid.read_text()), signal.SIGKILL)
    pid.write_text(str(os.getpid()))  # by now another program's
    done = run("port_forward", "stop")
    assert done.returncode == 0
    assert "ml-pipeline-ui: stopped" not in done.stdout


def test_a_forward_that_starts_slowly_is_waited_for(run: Run) -> None:
    # Between fork and exec, which a busy machine draws out, its command line is the script's.
    slow = {"BASH_FUNC_nohup%%": '() { sleep 0.3; exec nohup "$@"; }'}
    done = run("port_forward", **slow)
    assert done.returncode == 0, done.stderr


def test_a_forward_that_ends_at_once_is_told(run: Run, checkout: Path) -> None:
    done = run("port_forward", **{"BASH_FUNC_nohup%%": "() { false; }"})
    assert done.returncode == 3
    assert "The port of ml-pipeline-ui is not forwarded: see .tools/" in done.stderr
    assert not list(checkout.glob(".tools/port-forward/*.pid"))


def test_a_port_that_is_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run("port_forward", UI_PORT=str(other.getsockname()[1]))
    assert done.returncode == 3
    assert "is taken by another program: set UI_PORT" in done.stderr


@pytest.mark.parametrize(
    ("holds", "asks"),
    [
        (["cluster-scoped-resources/"], "--kustomize {}/env/platform-agnostic"),
        (["kustomization.yaml"], "--kustomize {}"),
        (["all.yaml"], "--recursive --filename {}"),
    ],
)
def test_local_manifests(
    run: Run, asked: Callable[[], list[str]], tmp_path: Path, holds: list[str], asks: str
) -> None:
    folder = tmp_path / "manifests"
    for name in holds:
        path = folder / name
        path.mkdir(parents=True) if name.endswith("/") else folder.mkdir(exist_ok=True)
        if not name.endswith("/"):
            path.write_text("")
    done = run("install_kfp", KFP_MANIFESTS="manifests")  # relative to where the caller is
    assert done.returncode == 0, done.stderr
    lines = asked()
    assert f"kubectl --context kind-augstudy apply {asks.format(folder)}" in lines
    assert not [line for line in lines if "github" in line]


def test_manifests_that_are_not_there(run: Run) -> None:
    done = run("install_kfp", KFP_MANIFESTS="nowhere")
    assert done.returncode == 3
    assert "There is no folder" in done.stderr


def test_missing_tools_are_named(run: Run, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("bash", "env", "dirname", "python3"):
        (bare / name).symlink_to(str(shutil.which(name)))
    done = run("check_tools", PATH=str(bare))
    assert done.returncode == 3
    said = done.stderr.splitlines()
    assert [line.split()[0] for line in said] == ["kubectl", "helm", "kind", "docker"]
    assert all(line.endswith(".") for line in said)


def test_an_image_that_docker_lacks(run: Run) -> None:
    done = run("load_images", "augstudy-python:other")
    assert done.returncode == 3
    assert "Docker has no image augstudy-python:other" in done.stderr


def test_an_image_by_digest(run: Run, asked: Callable[[], list[str]]) -> None:
    name = "registry.example/augstudy-python@sha256:" + 64 * "a"
    assert run("install_chart", IMAGE=name).returncode == 0
    upgrade = asked()[0]
    assert "image.repository=registry.example/augstudy-python " in upgrade
    assert f"image.digest=sha256:{64 * 'a'}" in upgrade
    assert "image.tag= " in upgrade


def test_tools_that_cannot_be_built_are_named(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("bash", "env", "dirname", "mkdir"):
        (bare / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [ROOT / "scripts" / "install_tools.sh", "helm"],
        env={"PATH": str(bare), "TOOLS": str(tmp_path / "tools")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith("Go is missing, and helm is built with it: install Go")
