"""Studies from Python: what people hand over, and what they get."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import augstudy
from augstudy import api
from augstudy.core.errors import InputError

TINY = {
    "preset": "smoke",
    "seeds": 2,
    "quiet": True,
    "threads": 1,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> api.StudyResult:
    runs = tmp_path_factory.mktemp("runs")
    found = augstudy.study("sample", arms=["real", "classic"], runs=runs, **TINY)
    assert isinstance(found, api.StudyResult)
    return found


def test_a_study_returns_its_verdict_its_table_and_its_report(study: api.StudyResult) -> None:
    assert study.report.is_file()
    assert set(study.verdicts) == {"classic"}
    assert study.verdict
    table = study.table()
    assert list(table.index) == ["real", "classic"]
    assert table.loc["classic", "verdict"] == study.verdicts["classic"]
    assert table.loc["classic", "difference"] == pytest.approx(
        table.loc["classic", "accuracy"] - table.loc["real", "accuracy"]
    )
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert list(study.found.seeds) == [0, 1]


def test_a_notebook_shows_the_answer_and_where_the_report_is(study: api.StudyResult) -> None:
    shown = study._repr_html_()
    assert study.verdict.replace("'", "&#39;") in shown
    assert study.report.as_uri() in shown


def test_a_finished_study_is_opened_by_its_folder(study: api.StudyResult) -> None:
    again = augstudy.load(study.folder)
    assert again.found == study.found
    with pytest.raises(InputError, match="no finished study"):
        augstudy.load(study.folder.parent)


def test_arms_are_compared_as_the_report_compares_them(
    study: api.StudyResult, tmp_path: Path
) -> None:
    compared = study.compare("real", "classic")
    line = compared.table().iloc[0]
    assert line["difference"] == pytest.approx(study.found.differences["classic"].mean)
    assert line["verdict"] == study.verdicts["classic"]
    assert compared.save(tmp_path / "page.html").read_text().startswith("<!")


def test_settings_are_parameters_of_the_pipeline(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="clasifier"):
        augstudy.study("sample", runs=tmp_path, clasifier="modern", **TINY)
    assert not list(tmp_path.iterdir())


def pictures(seed: int, count: int = 30) -> tuple[np.ndarray, list[str]]:
    """Noise in two classes, of which one has a bright stripe."""
    images = np.random.default_rng(seed).integers(0, 200, (2 * count, 16, 16, 3), np.uint8)
    images[:count, 4:8] += 55
    return images, ["striped"] * count + ["plain"] * count


def test_arrays_and_frames_of_the_same_images_make_one_dataset(tmp_path: Path) -> None:
    from PIL import Image

    images, labels = pictures(0)
    paths = [tmp_path / f"{number}.png" for number in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        Image.fromarray(image).save(path)
    frame = pd.DataFrame({"path": paths, "label": labels})
    settings = {
        **{"arms": "real", "runs": tmp_path / "runs", "classifier": "photo_small", "seeds": 1},
        **{"classifier_settings": {"epochs": 1, "views": 1}, "quiet": True, "threads": 1},
    }
    found = [augstudy.study(real, **settings) for real in ((images, labels), frame)]
    assert found[0].found.data.classes == ("plain", "striped")
    assert found[0].found.data.images == found[1].found.data.images
    assert found[0].table().equals(found[1].table())


def test_synthetic_images_may_be_arrays_by_name(tmp_path: Path) -> None:
    found = augstudy.study(
        pictures(0),
        synthetic={"brought": pictures(1)},
        arms="real,add:1",
        seeds=1,
        runs=tmp_path,
        classifier="photo_small",
        classifier_settings={"epochs": 1, "views": 1},
        judge_settings={"steps": 1, "cas_steps": 0},
        quiet=True,
        threads=1,
    )
    assert list(found.table().index) == ["real", "add:1"]
    assert (
        found.table().loc["add:1", "training_images"] > found.table().loc["real", "training_images"]
    )


@pytest.mark.parametrize(
    "wrong",
    [
        (np.zeros((4, 28, 28), np.float32), [0, 1, 0, 1]),
        (np.zeros((4, 28), np.uint8), [0, 1, 0, 1]),
        (np.zeros((4, 28, 28), np.uint8), [0, 1, 0]),
        (np.zeros((4, 28, 28), np.uint8), [[0, 1], [0, 1]]),
        pd.DataFrame({"file": ["a.png"], "label": ["a"]}),
        17,
    ],
)
def test_images_of_a_wrong_kind_are_refused_before_a_run_exists(
    wrong: object, tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        augstudy.study(wrong, runs=tmp_path, **TINY)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_an_interrupted_study_goes_on_where_it_stopped(tmp_path: Path) -> None:
    code = textwrap.dedent(
        f"""
        import augstudy
        try:
            found = augstudy.study(
                "sample", preset="smoke", arms="real", seeds=1, runs={str(tmp_path)!r}
            )
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        else:
            print("done", flush=True)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if line.startswith("train_cnn") and "started" in line:
            break
    process.send_signal(signal.SIGINT)
    assert process.communicate()[0].splitlines()[-1] == "interrupted"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout.splitlines()[-1] == "done"
    assert "ingest: done" in again.stdout
    found = augstudy.load(tmp_path / "0002")
    assert list(found.found.arms) == ["real"]
