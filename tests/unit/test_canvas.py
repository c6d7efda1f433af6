"""Whatever a user's matplotlibrc says, pictures have the same bytes."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

from augstudy.core import canvas
from augstudy.core.fingerprint import file_sha256
from augstudy.data.describe import draw_samples
from augstudy.explain.sheet import draw_sheet
from augstudy.pages.figures.arms import Row, whiskers
from augstudy.settings.spec import DRAWING

ODD = (r"$\frac$", "$x$", "$a $b", "$", "x_1^2", "100 %", r"\alpha", "${x}$")
TASTE = """
font.family: serif
font.size: 14
text.antialiased: False
image.lut: 8
lines.linestyle: --
axes.xmargin: 0.3
axes.labelweight: bold
savefig.dpi: 50
savefig.bbox: tight
"""


def pictures(folder: Path) -> list[str]:
    """One of each kind: hashes of two files, and a figure of the report."""
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28)).astype(np.uint8)
    train = SimpleNamespace(images=images, labels=np.repeat([0, 1], 3))
    found = SimpleNamespace(splits={"train": train})
    draw_samples(found, ("cow", "zebra"), DRAWING, folder / "samples.png")
    draw_sheet(folder / "sheet.png", [images[:3], images[3:]], ["cow", "zebra"], "Drawn")
    rows = [Row("Real", "#3d4855", 70.0, 68.0, 72.0, [69.0, 71.0], "70 %")]
    files = [file_sha256(folder / name) for name in ("samples.png", "sheet.png")]
    return [*files, whiskers(rows, 70, "real", "Accuracy")]


def test_a_matplotlibrc_changes_no_picture(tmp_path):
    (tmp_path / "matplotlibrc").write_text(TASTE)
    code = "import sys, pathlib, test_canvas as t; print(*t.pictures(pathlib.Path(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={
            **os.environ,
            "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == pictures(tmp_path)


def test_settings_are_matplotlibs_own_and_pass():
    with mpl.rc_context({"font.size": 14}):
        with canvas.settings({"lines.linewidth": 3}):
            assert mpl.rcParams["font.size"] == mpl.rcParamsDefault["font.size"]
            assert mpl.rcParams["lines.linewidth"] == 3
        assert mpl.rcParams["font.size"] == 14


@pytest.mark.parametrize("name", ODD)
def test_names_are_drawn_as_they_are(name: str, tmp_path: Path) -> None:
    """Two dollar signs are no formula, which may even be one that cannot be read."""
    drawn = {}
    for kind, text in (("as it is", name), ("as a formula", "frac")):
        path = tmp_path / f"{kind}.png"
        images = np.zeros((2, 28, 28), np.uint8)
        draw_sheet(path, [images, images], [text, "zebra"], text)
        drawn[kind] = file_sha256(path)
    assert len(set(drawn.values())) == 2
    with canvas.settings():
        figure = mpl.figure.Figure()
        label = figure.text(0.5, 0.5, name)
        figure.subplots().set_xticks([0], [name])
        figure.savefig(tmp_path / "figure.png")
        assert not label.get_parse_math()
    rows = [Row(name, "#3d4855", 70.0, 68.0, 72.0, [69.0, 71.0], name)]
    assert whiskers(rows, 70, name, name)
