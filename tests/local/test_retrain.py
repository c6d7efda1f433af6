"""Retraining through the real command line, with every real step, tiny."""

import json
from pathlib import Path

import numpy as np
import pytest
from program import in_this_process, record

from augstudy.pages import kfp_metrics
from augstudy.pages.verdicts import promotion
from augstudy.results import files

TINY = (
    "--seeds=0",
    "--threads=1",
    "--set=classes=[cow, giraffe, zebra]",
    "--set=train_per_class=40",
    "--set=val_per_class=6",
    "--set=test_per_class=40",
    "--set=classifier=baseline",
)
RECIPE = {
    "batch_size": 12,
    "early_stopping": None,
    "reduce_on_plateau": None,
}


def retrain(folder: Path, *more: str, **recipe: object):
    settings = f"--set=classifier_settings={json.dumps({**RECIPE, **recipe})}"
    store = f"--set=champion=file://{folder}/store"
    return in_this_process(folder, "run", "retrain", *TINY, settings, store, *more)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a good and then a deliberately worse classifier were trained."""
    folder = tmp_path_factory.mktemp("retrain")
    good = retrain(folder, epochs=6)
    assert good.returncode == 0, good.stderr
    (folder / "out-1.txt").write_text(good.stdout)
    # A learning rate of nothing: it cannot do better than guess.
    bad = retrain(folder, epochs=1, optimizer={"learning_rate": 1e-9})
    assert bad.returncode == 0, bad.stderr
    (folder / "out-2.txt").write_text(bad.stdout)
    return folder


def decision(folder: Path, number: int) -> dict:
    return json.loads((folder / "runs" / f"{number:04d}" / "decision.json").read_text())


def test_the_first_is_promoted_and_the_worse_one_held(twice: Path) -> None:
    first, second = decision(twice, 1), decision(twice, 2)
    assert first["promoted"]
    assert not second["promoted"]
    assert second["comparison"]["difference"] < -0.1
    pointer = json.loads((twice / "store" / "champion.json").read_text())
    assert pointer["champion"] == first["champion"] == second["champion"]
    assert (twice / "store" / pointer["model"]).is_file()
    assert [item.name for item in (twice / "store" / "champions").iterdir()] == [first["champion"]]


def test_the_terminal_says_what_was_decided(twice: Path) -> None:
    assert "Promoted: there was no champion." in (twice / "out-1.txt").read_text()
    second = (twice / "out-2.txt").read_text()
    assert promotion(files.read_decision(twice / "runs" / "0002")) in second
    assert "evaluate champion: done" in second
    assert "evaluate challenger: done" in second
    runs = in_this_process(twice, "runs").stdout
    assert "promoted" in runs
    assert "held" in runs


def test_metrics_and_verdict_reached_the_dashboard(twice: Path) -> None:
    (output,) = (twice / "runs" / "0002" / "artifacts").rglob("promote/executor_output.json")
    made = json.loads(output.read_text())["artifacts"]
    assert made["metrics"]["artifacts"][0]["metadata"] == kfp_metrics.scalars(
        files.read_decision(twice / "runs" / "0002")
    )
    (verdict,) = (twice / "runs" / "0002" / "artifacts").rglob("promote/verdict")
    assert verdict.read_text().startswith("# Held")


def test_bad_data_ends_with_code_4_and_changes_nothing(twice: Path, drawings: Path) -> None:
    before = {path: path.read_bytes() for path in (twice / "store").rglob("*") if path.is_file()}
    source = twice / "inverted"
    source.mkdir()
    for name in ("cow", "giraffe", "zebra"):
        np.save(source / f"{name}.npy", 255 - np.load(drawings / f"{name}.npy"))
    done = retrain(twice, f"--source=file://{source}", epochs=1)
    assert done.returncode == 4
    assert "differs from that of champion" in done.stderr
    assert "the brightness of all images has drifted" in done.stderr
    assert "(3 more of this kind)" in done.stderr
    assert record(twice, 3)["state"] == "failed"
    assert "train_cnn" not in done.stdout
    assert before == {
        path: path.read_bytes() for path in (twice / "store").rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Pipeline retrain needs a value for 'champion'"),
        (["--set=champion=somewhere"], "Unknown store 'somewhere'"),
        (["--set=champion=gs://b", "--set=margin=2"], "the rule, margin"),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from augstudy.cli.app import invoke

    assert invoke(["run", "retrain", *arguments, "--runs-dir", str(tmp_path / "runs")]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()
