"""Images are named by what is in them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from augstudy import __version__
from augstudy.cluster import image
from augstudy.core.errors import InputError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what matters in a checkout."""
    for path in image.content_files(ROOT):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def test_a_copy_has_the_same_tag(checkout: Path) -> None:
    assert re.fullmatch("[0-9a-f]{12}", image.content_tag(checkout))
    assert image.content_tag(checkout) == image.content_tag(ROOT)


@pytest.mark.parametrize(
    "name",
    [
        "src/augstudy/models/recipes.py",
        "requirements/image.txt",
        "images/Dockerfile",
        "images/entry",
    ],
)
def test_a_change_of_the_content_is_another_tag(checkout: Path, name: str) -> None:
    before = image.content_tag(checkout)
    path = checkout / name
    path.write_text(path.read_text() + "\n")
    assert image.content_tag(checkout) != before


def test_a_new_name_is_another_tag(checkout: Path) -> None:
    before = image.content_tag(checkout)
    (checkout / "src/augstudy/models/recipes.py").rename(checkout / "src/augstudy/recipe.py")
    assert image.content_tag(checkout) != before


def test_other_files_do_not_matter(checkout: Path) -> None:
    before = image.content_tag(checkout)
    for name in (
        "tests/test_new.py",
        "docs/new.md",
        "src/augstudy/__pycache__/cli.cpython-311.pyc",
    ):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("new")
    assert image.content_tag(checkout) == before


def test_elsewhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no images.*AUGSTUDY_IMAGE"):
        image.content_tag(tmp_path)
    assert image.default(tmp_path) == f"augstudy-python:{__version__}"


def test_program_prints_the_names_with_nothing_installed() -> None:
    command = [sys.executable, "-S", "-m", "augstudy.cluster.image", "--root", str(ROOT)]
    more = ["--repository", "registry.example/team/augstudy-python", "--gpu"]
    done = subprocess.run(
        [*command, *more], env={"PYTHONPATH": "src"}, cwd=ROOT, capture_output=True, text=True
    )
    tag = image.content_tag(ROOT)
    assert done.stdout == f"registry.example/team/augstudy-python:{tag}-gpu\n", done.stderr


def test_components_run_in_the_image_of_their_checkout(tmp_path: Path) -> None:
    code = "from augstudy.dags.components.image import IMAGE, GPU_IMAGE; print(IMAGE, GPU_IMAGE)"
    for named, cpu in (("", image.name(ROOT)), ("a-python:1", "a-python:1")):
        environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "XDG_CONFIG_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**environment, "AUGSTUDY_IMAGE": named},
            capture_output=True,
            text=True,
        )
        assert done.stdout == f"{cpu} {cpu}-gpu\n", done.stderr
