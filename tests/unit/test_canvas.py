"""Whatever a user's matplotlibrc says, pictures have the same bytes."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np

from augstudy.core import canvas
from augstudy.core.fingerprint import file_sha256
from augstudy.data.describe import draw_samples
from augstudy.explain.sheet import draw_sheet
from augstudy.pages.figures.arms import Row, whiskers
from augstudy.settings.spec import DRAWING

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
