"""``augstudy compare`` on runs of a cluster, which have ids and names instead of numbers."""

from pathlib import Path

import pytest
from kfp_server import KfpServer
from kube_server import KubeServer
from said import Program


def test_compare_runs_of_a_cluster(
    kfp: KfpServer,
    kube: KubeServer,
    levels: dict[int, str],
    program: Program,
    tmp_path: Path,
) -> None:
    """By the beginning of an id or by name, which has a colon in its time."""
    page = tmp_path / "page.html"
    low, high = (levels[level][:8] for level in (4, 8))
    said = program("compare", "--cluster", f"{low}:real", f"{low}:add:1", "--html", str(page))
    assert said.code == 0, said.err
    assert f"{low}:add:1" in said.out and "no pair" not in said.out
    assert f"{low}:add:1" in page.read_text()
    name = kfp.runs[levels[8]]["display_name"]
    assert name.count(":") == 1
    both = program("compare", "--host", kfp.url, f"{name}:add", f"{low}:add", "--html", str(page))
    assert both.code == 0, both.err
    assert f"{high}:add:1" in both.out and "level" in both.out
    whole = program("compare", "--cluster", levels[4], "--html", str(page))
    assert whole.code == 0 and f"minus {low}:real" in whole.out


def test_the_list_shows_what_compare_takes(
    kube: KubeServer, levels: dict[int, str], program: Program, tmp_path: Path
) -> None:
    table = tmp_path / "runs.csv"
    said = program("runs", "--cluster", "--csv", str(table))
    assert f"{levels[4][:8]} small level 4 " in said.out
    assert f"{levels[4][:8]}," in table.read_text()
    rows = program("runs", "--cluster", "--where", 'arm == "add"')
    assert levels[4][:8] in rows.out and levels[8][:8] in rows.out


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["ffffffff-none:real"], "There is no run 'ffffffff-none' among the newest 2 on http"),
        (["{4}:real", "{4}:nothing"], "has no single arm 'nothing'; its arms: real, add:1"),
        (["{4}:real"], "Two to 8 arms can be compared, not 1"),
    ],
)
def test_compare_says_what_is_wrong(
    kube: KubeServer, levels: dict[int, str], program: Program, names: list[str], said: str
) -> None:
    wanted = [name.replace("{4}", levels[4]) for name in names]
    found = program("compare", "--cluster", *wanted)
    assert found.code == 2 and said in found.err


def test_two_runs_of_one_name_are_told_apart_by_id(
    kfp: KfpServer, kube: KubeServer, levels: dict[int, str], program: Program
) -> None:
    for run in kfp.runs.values():
        run["display_name"] = "twin"
    found = program("compare", "--cluster", "twin:real", "twin:add")
    assert found.code == 2 and "2 runs are called 'twin': name one of" in found.err
    assert all(run_id[:8] in found.err for run_id in levels.values())
