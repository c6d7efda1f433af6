"""Fixtures: helm and kubecheck as ``scripts/install_tools.sh`` installs them, and the chart."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from places import CHART, ROOT, Run


def _tool(name: str) -> str:
    built = ROOT / ".tools" / "bin" / name
    found = str(built) if built.is_file() else shutil.which(name)
    if not found:
        pytest.fail(f"There is no {name}: run scripts/install_tools.sh.")
    return found


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs helm, apart from whatever its user has configured."""
    home = tmp_path_factory.mktemp("helm")
    program = _tool("helm")

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program, *arguments],
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def template(helm: Run) -> Callable[..., str]:
    """Renders the chart; the release is called augstudy, in namespace kubeflow."""

    def render(*options: str, namespace: str = "kubeflow") -> str:
        done = helm("template", "augstudy", str(CHART), "--namespace", namespace, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return render


@pytest.fixture(scope="session")
def objects(template: Callable[..., str]) -> Callable[..., dict[str, dict]]:
    """Renders the chart to objects by ``Kind/name``."""

    def render(*options: str, namespace: str = "kubeflow") -> dict[str, dict]:
        documents = yaml.safe_load_all(template(*options, namespace=namespace))
        return {f"{item['kind']}/{item['metadata']['name']}": item for item in documents if item}

    return render


@pytest.fixture(scope="session")
def kubecheck() -> Run:
    """Asks the API server's own code whether it would take YAML."""
    program = _tool("kubecheck")

    def run(text: str, *options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program, *options], input=text, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def shellcheck() -> Callable[[Path], str]:
    """What shellcheck says of a script; empty if all is well."""
    program = _tool("shellcheck")

    def run(path: Path) -> str:
        done = subprocess.run([program, "-x", str(path)], capture_output=True, text=True)
        return done.stdout + done.stderr

    return run
