"""The runner called as a function: what it leaves of its caller's world."""

import builtins
import io
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from program import FAKES
from rich.console import Console

from augstudy.core.errors import InputError
from augstudy.core.files import replace_text
from augstudy.local import catalog, display, parameters, runner
from augstudy.local.events import RunState
from augstudy.local.failures import StepError, last_traceback
from augstudy.local.runfolder import RunFolder
from augstudy.settings import parsing

TINY = str(FAKES / "tiny.py")


def world() -> list[Any]:
    root = logging.getLogger()
    state = [sys.stdout, sys.stderr, builtins.print, root.level, list(root.handlers), Path.cwd()]
    return [*state, dict(os.environ)]


@pytest.mark.parametrize("mode", ["ok", "data"])
def test_the_callers_world_is_untouched(tmp_path: Path, mode: str) -> None:
    known = catalog.parameters(catalog.load(TINY))
    values = parameters.resolve("tiny", known, [{"mode": mode, "names": ["a"]}])
    console = Console(file=io.StringIO(), width=100)
    before, threads = world(), set(threading.enumerate())
    try:
        result = runner.run(TINY, values, runs=tmp_path, console=console)
        assert (mode, result.report) == ("ok", None)
    except StepError as error:
        assert (mode, error.exit_code) == ("data", 4)
    assert world() == before
    # Threads of earlier tests may end meanwhile: what counts is that none is left behind.
    assert set(threading.enumerate()) <= threads


def test_folders_are_never_shared(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: RunFolder.create(tmp_path, "p", {}), range(40)))
    assert sorted(folder.record["id"] for folder in made) == list(range(1, 41))


def test_numbers_go_on_after_the_highest(tmp_path: Path) -> None:
    (tmp_path / "0007").mkdir()
    (tmp_path / "notes").mkdir()
    assert RunFolder.create(tmp_path, "p", {}).path.name == "0008"


def test_replacing_a_text_leaves_the_old_one_on_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("the disk is full")

    target = tmp_path / "run.json"
    replace_text(target, "old")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(Path, "replace", full)
        replace_text(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def event(kind: str, pid: int, time: float, **values: Any) -> dict[str, Any]:
    return {"event": kind, "pid": pid, "time": time, "stage": "train", "label": "add", **values}


def test_events_become_steps() -> None:
    state = RunState()
    state.apply({"event": "plan", "pid": 1, "stage": "plan", "label": "", "steps": 9})
    state.apply(event("launch", 7, 100.0))
    state.apply(event("start", 7, 104.0, startup_s=4.0))
    state.apply(event("progress", 7, 110.0, done=2, total=8, text="loss 1"))
    step = state.steps[0]
    assert (state.planned, step.title, step.state) == (9, "train add", "working")
    assert step.seconds_left(110.0) == pytest.approx(18.0)
    end = {"outcome": "done", "startup_s": 4.0, "work_s": 12.0, "peak_mib": 80.0}
    end |= {"cpu_s": 30.0, "gpus": 2}
    state.apply(event("end", 7, 116.0, **end))
    assert state.startup_s == pytest.approx(4.0)
    assert state.cost() == {"cpu_s": 30.0, "gpu_s": 32.0}
    assert step.elapsed(500.0) == pytest.approx(16.0)
    state.bury(7, 120.0)
    assert state.failed == []
    state.apply(event("launch", 9, 120.0))
    state.apply(event("exit", 9, 121.0))
    state.bury(9, 122.0)
    assert state.steps[1].state == "done"
    state.apply(event("launch", 7, 200.0))  # the system gives numbers of processes again
    assert len(state.steps) == 3


def test_the_second_stage_of_a_step_is_work_and_not_a_slow_start() -> None:
    state = RunState()
    state.apply(event("launch", 7, 100.0))
    for began, startup, work in ((101.0, 1.0, 58.0), (159.0, 59.0, 3.0)):
        state.apply(event("start", 7, began, startup_s=startup))
        end = {"outcome": "done", "startup_s": startup, "work_s": work, "peak_mib": 80.0}
        state.apply(event("end", 7, began + work, **end))
    assert (state.startup_s, state.steps[0].work_s) == (1.0, 61.0)


def test_traceback_is_the_steps_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "\x1b[91mnoise\x1b[0m\n"
        "    Traceback (most recent call last):\n"
        '      File "step.py", line 1, in f\n'
        "    ValueError: mine\n"
        "Traceback (most recent call last):\n"
        '  File "x/kfp/local/pipeline_orchestrator.py", line 1, in run\n'
        "RuntimeError: Inner task failed\n"
    )
    assert last_traceback(log).splitlines()[-1] == "ValueError: mine"
    assert last_traceback(tmp_path / "absent") == ""


def test_live_display_shows_bars_then_ticks() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    state = RunState()
    with display.make(console) as live:
        assert isinstance(live, display.LiveDisplay)
        state.apply(event("launch", 7, 100.0))
        state.apply(event("launch", 8, 100.0))
        state.apply(event("start", 7, 100.0, startup_s=1.0))
        state.apply(event("progress", 7, 101.0, done=1, total=4, text="[loss] 0.5"))
        live.update(state)
        console.print(live._render())
        end = {"outcome": "done", "startup_s": 1.0, "work_s": 3.0, "peak_mib": 1.0}
        state.apply(event("end", 7, 104.0, **end))
        live.update(state)
    text = screen.getvalue()
    assert "[loss] 0.5" in text
    assert "starting" in text
    assert "✓  train add" in text


def test_a_notebook_shows_all_steps_in_one_output(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    clock, sent = 100.0, []
    output = SimpleNamespace(update=lambda shown, raw: sent.append(shown["text/plain"]))

    def first(shown: dict[str, str], raw: bool, display_id: bool) -> SimpleNamespace:
        assert not sent
        output.update(shown, raw)
        return output

    monkeypatch.setattr(IPython.display, "display", first)
    monkeypatch.setattr(display, "now", lambda: clock)
    state = RunState()
    with display.make(Console(force_jupyter=True), "level 1 of 2") as live:
        state.apply({"event": "plan", "steps": 3})
        for second in range(100):
            clock = 100.0 + second / 10
            if second == 0:
                state.apply(event("launch", 7, 100.0))
                state.apply(event("start", 7, 100.0, startup_s=1.0))
            live.update(state)
        end = {"outcome": "done", "startup_s": 1.0, "work_s": 3.0, "peak_mib": 1.0}
        state.apply(event("end", 7, 110.0, **end))
    assert len(sent) == 10  # once a second, and at the end
    assert sent[0].splitlines() == [
        "  train add: at work for 1.0 s",
        "  0 of 3 steps · 1.0 s · level 1 of 2",
    ]
    assert sent[-1].split()[:5] == ["✓", "train", "add", "10", "s"]
    assert display.make(Console(force_jupyter=True, quiet=True)).__class__ is display.LineDisplay


def test_a_log_hears_of_long_steps_every_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr(display, "now", lambda: clock)
    screen = io.StringIO()
    lines = display.make(Console(file=screen, force_terminal=False, width=60))
    state = RunState()
    state.apply(event("launch", 7, 100.0))
    state.apply(event("start", 7, 101.0, startup_s=1.0))
    state.apply(event("launch", 8, 100.0))
    for second in range(1, 101):
        clock = 100.0 + second
        if second == 25:
            state.apply(event("progress", 7, 125.0, done=1, total=4, text="loss 0.5"))
        lines.update(state)
    end = {"outcome": "done", "startup_s": 1.0, "work_s": 99.0, "peak_mib": 1.0}
    state.apply(event("end", 7, 200.0, **end))
    lines.update(state)
    said = screen.getvalue().splitlines()
    assert len(said) == 2 + 3 + 1 and said[0] == said[1] == "train add: started"
    assert (
        said[2]
        == "train add: 25 % in 31 s, 1 min 30 s left (loss 0.5); train add: at work for 31 s"
    )
    assert said[-1] == "train add: done in 1 min 40 s (loss 0.5)"


def test_assignments_are_yaml_and_nest() -> None:
    found = parsing.parse_assignments(["a.b=1", "a.c=[x, y]", "d=true"])
    assert found == {"a": {"b": 1, "c": ["x", "y"]}, "d": True}
    with pytest.raises(InputError, match=r"'a.b=2' .* 'a'"):
        parsing.parse_assignments(["a=1", "a.b=2"])


def test_later_layers_win_and_mappings_merge() -> None:
    known = catalog.parameters(catalog.load("augmentation_study"))
    layers = [
        {"classifier_settings": {"epochs": 2, "batch_size": 8}, "classes": "cow, zebra"},
        {"classifier_settings": {"epochs": 3}, "seeds": [4]},
    ]
    values = parameters.resolve("augmentation_study", known, layers)
    assert values["classifier_settings"] == {"epochs": 3, "batch_size": 8}
    assert values["classes"] == ["cow", "zebra"]
    assert values["seeds"] == [4]
    assert values["level"] == 0
    assert type(values["train_per_class"]) is int


def test_ranges_of_seeds() -> None:
    assert parsing.parse_integers("0-2, 7", "--seeds") == [0, 1, 2, 7]
