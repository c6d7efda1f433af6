"""The page of a run's folder: every link leads somewhere, and nothing that matters is missing."""

import re
from pathlib import Path

from recorded import add, build_run

from augstudy.local.runfolder import refresh_overview
from augstudy.pages.run_page import NAME

ARMS = (("real", None, 0.0), ("add", 1.0, 0.5))


def links(folder: Path) -> dict[str, str]:
    """Targets of the links of a page, by what they are called."""
    found = re.findall(r'<a href="([^"]+)">([^<]+)</a>', (folder / NAME).read_text())
    return {title: target for target, title in found}


def test_all_that_a_run_left_is_linked(tmp_path: Path) -> None:
    folder = build_run(tmp_path, ARMS)
    assert refresh_overview(tmp_path) == ""
    found = links(folder)
    assert [name for name in found.values() if not (folder / name.split("#")[0]).is_file()] == []
    assert found["Configuration"] == "settings.yaml" and found["Report"] == "report.html"
    assert found["History and learning-rate plots"] == "report.html#training"
    for title in (
        "Architecture",
        "History",
        "Test metrics, confusion matrix",
        "Heat maps",
        "Model with weights, seed 0",
        "Samples over time",
        "Generator",
    ):
        assert title in found, title
    text = (folder / NAME).read_text()
    assert "http" not in text and "add:1" in text


def test_a_run_without_results_has_a_page_once_it_ended(tmp_path: Path) -> None:
    run = add(tmp_path)
    refresh_overview(tmp_path)
    assert not (run.path / NAME).exists()
    run.finish("failed", 1.0, error="The drawings are <gone>.")
    assert refresh_overview(tmp_path) == ""
    assert "No step has finished." in (run.path / NAME).read_text()
    assert set(links(run.path)) == {"Configuration", "Record"}


def test_a_page_that_cannot_be_made_keeps_no_other_from_being_made(tmp_path: Path) -> None:
    damaged, whole = add(tmp_path, 0.8), add(tmp_path, 0.7)
    broken = damaged.root / "study" / "data" / "manifest.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    assert refresh_overview(tmp_path) == ""
    assert not (damaged.path / NAME).exists() and (whole.path / NAME).is_file()


def test_an_overview_that_cannot_be_written_is_no_reason_to_lose_a_run(tmp_path: Path) -> None:
    run = add(tmp_path, 0.8)
    (tmp_path / "overview.csv").mkdir()
    assert "could not be refreshed" in refresh_overview(tmp_path)
    assert (run.path / NAME).is_file()
