"""The table of runs, as it is printed and written."""

import io
import json
import re

import pandas as pd
from found import arm, difference, paired, study
from rich.console import Console

from augstudy.cli.app import invoke
from augstudy.local.runfolder import refresh_overview
from augstudy.pages import tables
from augstudy.runs.folder import RunsFolder
from augstudy.runs.record import FIELDS, newest_first, rows


def summary(best="add:1", mean=0.021, verdict="helps"):
    arms = {"real": arm(accuracy=0.7), "add:1": arm("add", accuracy=0.7 + mean)}
    found = difference(paired(mean, mean - 0.01, mean + 0.01))
    found = study(arms, {"add:1": found.model_copy(update={"verdict": verdict})}, best)
    return found.model_dump(mode="json")


def add_run(folder, name, started="2026-11-01T10:00:00+00:00", content=None, **values):
    run = {
        "id": name,
        "name": "study",
        "pipeline": "augmentation_study",
        "parameters": {"source": "sample", "level": 30},
        "started": started,
        "finished": None,
        "duration_s": 125.4,
        "user": "ada",
        "note": "",
        "state": "succeeded",
        "code": "abc",
    }
    (folder / name).mkdir(parents=True)
    (folder / name / "run.json").write_text(json.dumps(run | values))
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name / "summary.json").write_text(text)


def listed(folder):
    return list(rows(newest_first(RunsFolder(folder).records())))


def printed(found):
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(tables.render(found, tables.columns("")))
    return console.export_text()


def test_newest_first_with_results(tmp_path):
    add_run(tmp_path, "0001", content=summary())
    add_run(tmp_path, "0002", started="2026-11-02T08:00:00Z", content=summary(mean=-0.03))
    # 2026-11-01T11:30 in UTC, between the two
    add_run(tmp_path, "0003", started="2026-11-01T13:30:00+02:00", content=summary())
    found = listed(tmp_path)
    assert [(row["id"], row["arm"]) for row in found] == [
        (number, arm) for number in (2, 3, 1) for arm in ("real", "add:1")
    ]
    real, added = found[-2:]
    assert (real["accuracy"], real["outcome"], added["level"]) == (0.7, "helps", 60)
    assert (added["user"], added["date"]) == ("ada", "2026-11-01 10:00:00")
    assert added["difference"] == 0.021 and added["verdict"] == "helps"


def test_unfinished_and_damaged_runs_are_shown(tmp_path):
    add_run(tmp_path, "running", state="running", duration_s=None)
    add_run(tmp_path, "cut", content='{"headline": ')
    add_run(tmp_path, "odd", content={"headline": []})
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("[1, 2")
    (tmp_path / "not a run").mkdir()
    (tmp_path / "overview.csv").write_text("")
    found = {row["key"]: row for row in listed(tmp_path)}
    assert {key: row["state"] for key, row in found.items()} == {
        "running": "running",
        "cut": "damaged",
        "odd": "damaged",
        "broken": "damaged",
    }
    assert found["running"]["level"] == 30
    text = printed(list(found.values()))
    assert "damaged" in text and "running" in text


def test_no_runs(tmp_path):
    found = listed(tmp_path)
    tables.write_csv(found, tmp_path / "overview.csv")
    tables.write_html(found, tmp_path / "overview.html")
    assert pd.read_csv(tmp_path / "overview.csv").columns.tolist() == list(FIELDS)
    assert "0 rows" in (tmp_path / "overview.html").read_text()


def test_the_overview_is_the_export(tmp_path):
    """One table of runs: beside them, exported, and in the terminal under the same headings."""
    add_run(tmp_path, "0001", content=summary(), note='=HYPERLINK("x")', user="ö, x")
    add_run(tmp_path, "0002", state="running")
    (tmp_path / "0001" / "note.txt").write_text('=HYPERLINK("x")\n')
    assert refresh_overview(tmp_path) == ""
    export = tmp_path / "out" / "export.csv"
    arguments = ["--runs-dir", str(tmp_path)]
    assert invoke(["runs", "export", str(export), *arguments]) == 0
    assert invoke(["runs", "--csv", str(tmp_path / "listed"), *arguments]) == 0
    texts = {path.read_text() for path in (tmp_path / "overview.csv", export, tmp_path / "listed")}
    assert len(texts) == 1
    assert [item.name for item in export.parent.iterdir()] == ["export.csv"]
    back = pd.read_csv(export)
    assert back.columns.tolist() == list(FIELDS) and back["id"].tolist() == [2, 1, 1]
    assert back.loc[2, "difference"] == 0.021
    assert back.loc[2, "user"] == "ö, x"
    assert back.loc[2, "note"].startswith("'=")


def test_html_escapes_and_loads_nothing(tmp_path):
    add_run(tmp_path, "0001", content=summary())
    (tmp_path / "0001" / "note.txt").write_text("<script>alert(1)</script>\n")
    page = tmp_path / "pages" / "overview.html"
    tables.write_html(listed(tmp_path), page)
    text = page.read_text()
    assert "<script" not in text and "&lt;script&gt;" in text
    assert "http" not in text and "href" not in text
    assert "72.1" in text and "2 min 05 s" in text


def test_pages_link_to_those_of_the_runs(tmp_path):
    add_run(tmp_path, "run 1", content=summary())
    found = [*listed(tmp_path), *({"id": "ab", "link": link} for link in ("http://x/1", "ftp://x"))]
    page = tmp_path / "pages" / "overview.html"
    tables.write_html([dict.fromkeys(FIELDS) | row for row in found], page, tmp_path)
    links = set(re.findall('href="(.*?)"', page.read_text()))
    assert links == {"../run%201/index.html", "http://x/1", "../ftp%3A/x"}


def test_terminal_table_shows_markup_as_text(tmp_path):
    add_run(tmp_path, "0001", content=summary())
    (tmp_path / "0001" / "note.txt").write_text("[bold]a[/bold] [/]\n")
    text = printed(listed(tmp_path))
    assert "[bold]a[/bold]" in text
    assert "+2.1 (+1.1 to +3.1)" in text and "70.0 %" in text
