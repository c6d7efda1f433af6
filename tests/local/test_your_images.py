"""The guide for people with a folder of images: each of its commands runs."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augstudy.cli.app import invoke

GUIDE = Path(__file__).parents[2] / "docs" / "your-images.md"
# So little work that the numbers mean nothing.
TINY = (
    *("classifier=photo_small", "classifier_settings.epochs=1", "gan_settings.steps=1"),
    *("judge_settings.steps=1", "judge_settings.cas_steps=0", "gan_settings.batch_size=8"),
    "classifier_settings.views=1",
)


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("augstudy ")]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with ``photos/``: two classes, of patients, of unequal number and size."""
    generator = np.random.default_rng(0)
    for label, (name, count) in enumerate((("cat", 40), ("dog", 60))):
        for number in range(count):
            folder = tmp_path / "photos" / name / f"patient{number // 2}"
            folder.mkdir(parents=True, exist_ok=True)
            pixels = generator.integers(0, 200, (32, 40, 3), np.uint8)
            pixels[8:16, :, label] += 55
            Image.fromarray(pixels).save(folder / f"{number}.jpg", quality=95)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_guide_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = commands()
    assert len(asked) >= 5
    for number, words in enumerate(asked, 1):
        tiny = [word for item in TINY for word in ("--set", item)]
        usual = {"--seeds": "0", "--arms": "real,add:1" if number == 1 else "real"}
        given = [word for name in usual if name not in words for word in (name, usual[name])]
        if "--seeds" in words:
            at = words.index("--seeds") + 1
            words[at] = "auto:2" if words[at] == "auto" else "0,1"
        if "--level" in words:
            words[words.index("--level") + 1] = "20"  # there are few images here
        assert invoke([*words[1:], *tiny, *given]) == 0, capsys.readouterr().err
        assert (here / "runs" / f"{number:04d}" / "report.html").is_file()
        capsys.readouterr()
