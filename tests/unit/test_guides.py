"""The guides name only commands, files and values that exist."""

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from augstudy.cli.app import app
from augstudy.cluster.settings import ClusterSettings

ROOT = Path(__file__).parents[2]
NAMES = ("install", "troubleshooting", "cluster", "containers", "retrain", "tracker")
GUIDES = [ROOT / "docs" / f"{name}.md" for name in NAMES]
guides = pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)


@guides
def test_targets_of_make(guide: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    # At the start of a line or of a code span, or behind a variable.
    named = set(re.findall(r"(?m)(?:^|`|=\S+ )make ([a-z][a-z-]+)", guide.read_text()))
    assert named
    assert named <= known


def test_scripts_and_files() -> None:
    text = "\n".join(guide.read_text() for guide in GUIDES)
    named = set(re.findall(r"\b((?:scripts|charts)/[\w/.-]+\w)", text))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@guides
def test_commands(guide: Path) -> None:
    known = set(get_command(app).commands)
    named = set(re.findall(r"(?:`|bin/)augstudy ([a-z][a-z-]*)", guide.read_text()))
    assert named <= known


@guides
def test_values_of_the_chart(guide: Path) -> None:
    values = yaml.safe_load((ROOT / "charts" / "augstudy" / "values.yaml").read_text())
    sections = "|".join(values)
    for name in re.findall(rf"(?<![\w./-])((?:{sections})(?:\.\w+)+)(?==|`|,)", guide.read_text()):
        found = values
        for part in name.split("."):
            if name.startswith(("serviceAccount.annotations.", "schedule.parameters.")):
                break
            assert isinstance(found, dict), name
            assert part in found, name
            found = found[part]


@guides
def test_links(guide: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([\w-]+))?\)", guide.read_text()):
        page = guide.parent / target if target else guide
        assert page.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
            assert anchor in slugs


def test_every_cluster_setting_is_explained() -> None:
    text = (ROOT / "docs" / "cluster.md").read_text()
    missing = [name for name in ClusterSettings.model_fields if f"`{name}`" not in text]
    assert not missing
