"""The wheel alone, in an environment of its own and an empty folder, does what a checkout does."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
# A locale that is not UTF-8, as Python sees one, in which all must work as well.
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
# One process for all: it is the start that takes time.
COMPILE = """
import sys
from augstudy.cli.app import invoke

sys.exit(max(invoke(["compile", name, "--output", f"{name}.yaml"]) for name in sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = ["pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    words += ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", *words], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``augstudy`` of the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    # Files named .pth in the folder that is named here are not read: no editable install counts.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n")
    words = ["pip", "--disable-pip-version-check", "--quiet", "--python", f"{folder}/bin/python"]
    words += ["install", "--no-deps", str(wheel)]
    subprocess.run([sys.executable, "-m", *words], check=True)
    return folder / "bin" / "augstudy"


def called(program: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [program, *words], cwd=folder, env=kept | ASCII, capture_output=True, text=True
    )


def test_the_smoke_study_runs_in_an_empty_folder_and_in_ascii(
    program: Path, tmp_path: Path
) -> None:
    done = called(program, tmp_path, "run", "--preset", "smoke")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "0001" / "report.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    shown = called(program, tmp_path, "runs")
    assert "augmentation_study" in shown.stdout


def test_pipelines_compile_in_an_empty_folder(program: Path, tmp_path: Path) -> None:
    names = ("augmentation_study", "cnn_tuning", "gan_tuning", "retrain")
    done = called(program.with_name("python"), tmp_path, "-c", COMPILE, *names)
    assert done.returncode == 0, done.stderr
    for name in names:
        spec = next(yaml.safe_load_all((tmp_path / f"{name}.yaml").read_text()))
        assert spec["pipelineInfo"]["name"] == name.replace("_", "-")


def test_the_package_has_no_name_beside_its_own(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"augstudy"}


def test_packages_called_pipelines_and_components_are_in_nobodys_way(
    program: Path, tmp_path: Path
) -> None:
    for name in ("pipelines", "components"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a stranger')\n")
        (tmp_path / name / "resources.py").write_text("raise SystemExit('a stranger')\n")
    done = subprocess.run(
        [program, "compile", "retrain", "--output", "here.yaml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
