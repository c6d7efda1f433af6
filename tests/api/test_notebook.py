"""The introduction in a notebook, executed in an empty folder by a kernel of its own."""

import ast
from pathlib import Path
from typing import Any, get_args

import nbformat
import pytest
from nbclient import NotebookClient

from augstudy.stats.codes import Verdict

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def test_every_cell_of_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    here = tmp_path / "here"
    here.mkdir()
    notebook = nbformat.read(NOTEBOOK, 4)
    resources = {"metadata": {"path": str(here)}}
    NotebookClient(notebook, timeout=280, resources=resources).execute()
    cells = {cell.id: cell for cell in notebook.cells}

    verdicts = ast.literal_eval(returned(cells["verdicts"])["text/plain"])
    assert [*verdicts] == ["classic"] and {*verdicts.values()} <= {*get_args(Verdict)}
    assert rows(cells["table"]) == ["real", "classic"]
    assert rows(cells["compare"]) == ["2:add:1"]
    report = (here / "runs" / "0001" / "report.html").as_uri()
    assert report in returned(cells["study"])["text/html"]
    assert returned(cells["again"])["text/html"].count("<tr>") == 1 + 3
    assert returned(cells["page"])["text/html"].startswith("<iframe")
    assert returned(cells["load"])["text/plain"] == "True"
    # The run's folder, and its steps, which are shown in one output.
    assert [item.output_type for item in cells["again"].outputs[:-1]] == ["display_data"] * 2
    assert len(cells["again"].outputs[1].data["text/plain"].splitlines()) > 10
    assert [path.name for path in here.iterdir()] == ["runs"]


def returned(cell: Any) -> dict[str, str]:
    (found,) = [item.data for item in cell.outputs if item.output_type == "execute_result"]
    return dict(found)


def rows(cell: Any) -> list[str]:
    """The names of the rows of a frame."""
    lines = returned(cell)["text/html"].partition("<tbody>")[2].splitlines()
    return [line.strip()[4:-5] for line in lines if line.strip().startswith("<th>")]
