import io
import json

import pandas as pd
from found import arm, difference, paired, study
from rich.console import Console

from augstudy.pages import overview


def summary(best="add_100", mean=0.021, verdict="helps"):
    arms = {"real": arm(accuracy=0.7), "add_100": arm("add", accuracy=0.7 + mean)}
    found = difference(paired(mean, mean - 0.01, mean + 0.01))
    found = study(arms, {"add_100": found.model_copy(update={"verdict": verdict})}, best)
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


def printed(frame):
    console = Console(width=240, record=True, file=io.StringIO())
    console.print(overview.render_table(frame))
    return console.export_text()


def test_newest_first_with_results(tmp_path):
    add_run(tmp_path, "0001", content=summary())
    add_run(tmp_path, "0002", started="2026-11-02T08:00:00Z", content=summary(mean=-0.03))
    # 2026-11-01T11:30 in UTC, between the two
    add_run(tmp_path, "0003", started="2026-11-01T13:30:00+02:00", content=summary())
    frame = overview.collect(tmp_path)
    assert frame["id"].tolist() == ["0002", "0003", "0001"]
    first = frame.iloc[-1]
    assert (first["real_accuracy"], first["best_arm"], first["level"]) == (0.7, "add_100", 60)
    assert (first["user"], first["date"]) == ("ada", "2026-11-01 10:00:00")
    assert first["difference"] == 0.021 and first["verdict"] == "helps"


def test_unfinished_and_damaged_runs_are_shown(tmp_path):
    add_run(tmp_path, "running", state="running", duration_s=None)
    add_run(tmp_path, "cut", content='{"headline": ')
    add_run(tmp_path, "odd", content={"headline": []})
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("[1, 2")
    (tmp_path / "not a run").mkdir()
    (tmp_path / "overview.csv").write_text("")
    frame = overview.collect(tmp_path).set_index("id")
    assert frame["state"].to_dict() == {
        "running": "running",
        "cut": "damaged",
        "odd": "damaged",
        "broken": "damaged",
    }
    assert frame.loc["running", "level"] == 30
    text = printed(frame.reset_index())
    assert "damaged" in text and "running" in text


def test_no_runs(tmp_path):
    frame = overview.collect(tmp_path / "absent")
    assert frame.empty and list(frame.columns) == list(overview.COLUMNS)
    overview.write_csv(frame, tmp_path / "overview.csv")
    overview.write_html(frame, tmp_path / "overview.html")
    assert "0 runs" in (tmp_path / "overview.html").read_text()


def test_csv_reads_back_and_disarms_formulas(tmp_path):
    add_run(tmp_path, "0001", content=summary(), note='=HYPERLINK("x")', user="ö, x")
    path = tmp_path / "out" / "overview.csv"
    overview.write_csv(overview.collect(tmp_path), path)
    back = pd.read_csv(path)
    assert back.loc[0, "difference"] == 0.021
    assert back.loc[0, "user"] == "ö, x"
    assert back.loc[0, "note"].startswith("'=")
    assert [item.name for item in path.parent.iterdir()] == ["overview.csv"]


def test_html_escapes_and_loads_nothing(tmp_path):
    add_run(tmp_path, "0001", content=summary(), note="<script>alert(1)</script>")
    overview.write_html(overview.collect(tmp_path), tmp_path / "overview.html")
    page = (tmp_path / "overview.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "http" not in page
    assert "72.1" in page and "2 min 05 s" in page


def test_terminal_table_shows_markup_as_text(tmp_path):
    add_run(tmp_path, "0001", content=summary(), note="[bold]a[/bold] [/]")
    text = printed(overview.collect(tmp_path))
    assert "[bold]a[/bold]" in text
    assert "+2.1 (+1.1 to +3.1)" in text and "70.0 %" in text
