"""Runs of small pipelines through the real command line."""

import csv
import os
import signal
from pathlib import Path

import pytest
from program import FAKES, augstudy, events, in_this_process, record, start, wait_for

from augstudy.local.runfolder import alive, settle
from augstudy.runs.folder import RunsFolder

TINY = str(FAKES / "tiny.py")


def litter(folder: Path) -> list[str]:
    """What a run left beside its run folder, and half-written things in it."""
    kept = {"tmp", "runs", "augstudy.log"}
    found = [item.name for item in folder.iterdir() if item.name not in kept]
    found += [item.name for item in (folder / "tmp").iterdir()]
    return found + [str(item) for item in (folder / "runs").rglob(".*")]


def test_a_run_keeps_what_matters_and_leaves_no_litter(tmp_path: Path) -> None:
    done = augstudy(tmp_path, "run", TINY, "--note", "the first", "--threads", "4")
    assert done.returncode == 0, done.stderr
    assert "work first: done in" in done.stdout
    assert "a word from the step" not in done.stdout + done.stderr
    assert "INFO" not in done.stdout + done.stderr
    run = tmp_path / "runs" / "0001"
    assert "a word from the step 4" in (run / "run.log").read_text()
    kept = record(tmp_path)
    assert (kept["id"], kept["state"], kept["note"]) == (1, "done", "the first")
    assert kept["threads"] == {"step": 4, "cell": 2}
    assert kept["parameters"] == {"names": ["a", "b"], "seconds": 0.0, "mode": "ok"}
    assert kept["finished"] >= kept["started"]
    assert kept["cpu_s"] > 0 and kept["gpu_s"] == 0
    (tracked,) = RunsFolder(tmp_path / "runs").records()
    assert (tracked["id"], tracked["cpu_s"], tracked["changed"]) == (1, kept["cpu_s"], {})
    assert "Log" in (run / "index.html").read_text()
    with (run / "timings.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert sorted(row["label"] for row in rows) == ["a", "b", "first"]
    assert all(float(row["startup_s"]) > 0 and float(row["cpu_s"]) > 0 for row in rows)
    assert [event["steps"] for event in events(tmp_path) if event["event"] == "plan"] == [3]
    assert litter(tmp_path) == []


def test_one_variable_gives_every_step_the_threads_of_a_pod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGSTUDY_THREADS", "3")
    assert in_this_process(tmp_path, "run", TINY).returncode == 0
    assert record(tmp_path)["threads"] == {"step": 3, "cell": 3}
    assert "a word from the step 3 3" in (tmp_path / "runs/0001/run.log").read_text()
    assert in_this_process(tmp_path, "run", TINY, "--threads", "4").returncode == 0
    assert record(tmp_path, 2)["threads"] == {"step": 4, "cell": 2}
    assert "a word from the step 4 2" in (tmp_path / "runs/0002/run.log").read_text()
    monkeypatch.setenv("AUGSTUDY_THREADS", "many")
    refused = in_this_process(tmp_path, "run", TINY)
    assert refused.returncode == 2
    assert "AUGSTUDY_THREADS is 'many': set it to a number of threads." in refused.stderr
    assert not (tmp_path / "runs/0003").exists()


@pytest.mark.parametrize(
    ("mode", "code", "said"),
    [
        ("data", 4, "images.npy is cut short: get it again."),
        ("bug", 1, "ValueError: a [bold] surprise"),
        ("kill", 3, "most likely because memory ran out"),
    ],
)
def test_a_failing_step(tmp_path: Path, mode: str, code: int, said: str) -> None:
    done = in_this_process(tmp_path, "run", TINY, "--set", f"mode={mode}")
    assert done.returncode == code
    assert said in done.stderr
    assert str(tmp_path / "runs" / "0001" / "run.log") in done.stderr
    assert ("Traceback" in done.stderr) == (mode == "bug")
    assert record(tmp_path)["state"] == "failed"
    assert record(tmp_path)["exit_code"] == code
    assert litter(tmp_path) == []


def test_a_step_that_knows_nothing_of_us_fails_with_its_own_traceback(tmp_path: Path) -> None:
    done = in_this_process(tmp_path, "run", str(FAKES / "plain.py"), "--set", "number=7")
    assert done.returncode == 1
    assert "RuntimeError: number 7 is wrong" in done.stderr
    assert 'raise RuntimeError(f"number {number} is wrong")' in done.stderr
    assert "kfp/local" not in done.stderr


def test_two_runs_at_once_get_different_numbers(tmp_path: Path) -> None:
    both = [start(tmp_path, "run", TINY) for _ in range(2)]
    for process in both:
        _, err = process.communicate()
        assert process.returncode == 0, err
    assert sorted(item.name for item in (tmp_path / "runs").glob("0*")) == ["0001", "0002"]
    assert {record(tmp_path, number)["state"] for number in (1, 2)} == {"done"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_steps(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, "run", TINY, "--set", "seconds=600")
    pids = wait_for(lambda: working(tmp_path), "two steps at work")
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == 128 + number
    assert "Interrupted" in err
    assert not any(alive(pid) for pid in pids)
    assert record(tmp_path)["state"] == "interrupted"
    assert litter(tmp_path) == []


def test_steps_end_when_the_program_is_killed(tmp_path: Path) -> None:
    process = start(tmp_path, "run", TINY, "--set", "seconds=600")
    pids = wait_for(lambda: working(tmp_path), "two steps at work")
    process.kill()
    process.communicate()
    wait_for(lambda: not any(alive(pid) for pid in pids), "end of the steps")
    assert record(tmp_path)["state"] == "running"
    settle(tmp_path / "runs")
    assert record(tmp_path)["state"] == "interrupted"


def working(folder: Path) -> set[int]:
    """Processes of the two slow steps, once both are at work."""
    pids = {item["pid"] for item in events(folder) if item["event"] == "progress"}
    return pids if len(pids) == 3 else set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["augmentation_studi"], "did you mean augmentation_study?"),
        (["--preset", "quik"], "did you mean quick?"),
        (["cnn_tuning", "--preset", "scarcity"], "Preset scarcity is not for pipeline cnn_tuning"),
        (["--preset", "report_quick"], "augstudy run cnn_tuning --preset report_quick"),
        ([TINY, "--set", "mod=1"], "did you mean mode?"),
        ([TINY, "--set", "mode"], "is not key=value"),
        ([TINY, "--set", "names=3"], "names must be a list such as [a, b], not 3."),
        ([TINY, "--level", "3"], "There is no parameter 'level' of tiny"),
        (["--seeds", "a"], "must look like 0,1,2"),
        (["--arms", "replace"], "needs a share"),
        (["--arms", "classic"], "Arm real is missing"),
        (["--arms", "real,real"], "Arm real is there twice"),
        (["--set", "gan_settings.step=1"], "has no setting 'step'"),
        (["--set", "classifier=modem"], "did you mean 'modern'?"),
        (
            ["--level", "61", "--set", "train_per_class=60"],
            "level 61 is more than train_per_class 60",
        ),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from augstudy.cli.app import invoke

    runs = tmp_path / "runs"
    assert invoke(["run", *arguments, "--runs-dir", str(runs)]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not runs.exists()


def test_runs_dir_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    done = in_this_process(tmp_path, "run", TINY)
    assert done.returncode == 3 or done.returncode == 2
    assert str(Path("runs")) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_is_called_a_bug_and_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise KeyError('inside')\n")
    done = in_this_process(tmp_path, "run", str(broken))
    assert done.returncode == 1
    assert "This is a bug in augstudy: KeyError" in done.stderr
    assert "Traceback" not in done.stderr
    assert "KeyError: 'inside'" in (tmp_path / "augstudy.log").read_text()


def test_help_of_every_command_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    from augstudy.cli.app import app, invoke

    for command in app.registered_commands:
        assert invoke([str(command.name), "--help"]) == 0
        assert "xample" in capsys.readouterr().out, command.name
    assert os.environ.get("AUGSTUDY_DEBUG") is None
