"""Steps that are forked from a process with their libraries end as fresh processes do."""

import json
import signal
import sys
from pathlib import Path

import pytest

from augstudy.local import warm
from augstudy.local.runfolder import alive

SCRIPT = f"program=$(mktemp -d)\n{sys.executable} -m kfp.dsl.executor_main --component_module_path"
INPUT = (
    '{"inputs": {"parameterValues": {"text": "%s"}}, '
    '"outputs": {"outputFile": "%s/output.json", "parameters": '
    '{"Output": {"outputFile": "%s/said"}}}}'
)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory):
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    with warm.Nursery(libraries=("wave",)) as nursery:
        yield nursery
    monkeypatch.undo()


def command(body: str, folder: Path, text: str = "a word") -> list[str]:
    """What KFP starts for a component with this body."""
    lines = "\n    ".join(body.splitlines())
    source = f"from kfp.dsl import *\n\ndef step(text: str) -> str:\n    {lines}"
    values = INPUT % (text, folder, folder)
    arguments = ["--executor_input", values, "--function_to_execute", "step"]
    return ["sh", "-ec", SCRIPT, source, *arguments]


def test_a_component_runs_and_what_it_prints_arrives(nursery, tmp_path, capfd):
    body = "import os\nprint('it said', text, os.environ['EXTRA'])\nreturn text * 2"
    full = command(body, tmp_path)
    assert warm.can_run(full)
    assert nursery.run(full, {"EXTRA": "more"}) == 0
    assert "it said a word more" in capfd.readouterr().out
    output = json.loads((tmp_path / "output.json").read_text())
    assert output["parameterValues"] == {"Output": "a worda word"}


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("raise SystemExit(4)", 4, ""),
        ("raise SystemExit('no')", 1, ""),
        ("raise ValueError('mine')", 1, "ValueError: mine"),
        ("import os\nos.kill(os.getpid(), 9)", -9, ""),
        ("import os\nos.write(1, b'raw')\nreturn ''", 0, "raw"),
    ],
)
def test_exit_codes_and_last_words(nursery, tmp_path, capfd, body, code, said):
    assert nursery.run(command(body, tmp_path)) == code
    assert said in capfd.readouterr().out


def test_steps_know_nothing_of_each_other(nursery, tmp_path, capfd):
    first = "import os, sys\nos.environ['LEFT'] = '1'\nsys.left = 1\nreturn ''"
    second = "import os, sys\nprint('LEFT' in os.environ, hasattr(sys, 'left'))\nreturn ''"
    third = "import sys\nprint('wave' in sys.modules)\nreturn ''"
    assert nursery.run(command(first, tmp_path)) == 0
    assert nursery.run(command(second, tmp_path)) == 0
    assert nursery.run(command(third, tmp_path)) == 0
    printed = capfd.readouterr().out.splitlines()
    assert "False False" in printed and "True" in printed


def test_two_at_once_do_not_wait_for_each_other(nursery, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    # Each waits for a file of the other: one after the other they would wait for ever.
    body = (
        "import time, pathlib\nmine, other = text.split('|')\npathlib.Path(mine).touch()\n"
        "while not pathlib.Path(other).exists():\n    time.sleep(0.01)\nreturn ''"
    )
    names = [f"{tmp_path}/a", f"{tmp_path}/b"]
    with ThreadPoolExecutor(2) as pool:
        texts = ["|".join(order) for order in (names, names[::-1])]
        commands = [command(body, tmp_path, text) for text in texts]
        assert list(pool.map(nursery.run, commands)) == [0, 0]


def test_commands_that_are_more_than_a_component_are_left_to_kfp():
    assert not warm.can_run(["sh", "-c", "python3 -m pip install x", "sh", "-ec", SCRIPT, "source"])
    assert not warm.can_run(["sh", "-ec", "echo hello", ""])


def test_the_nursery_ends_with_its_worker(tmp_path):
    with warm.Nursery(libraries=()) as nursery:
        assert nursery._process is not None
        pid = nursery._process.pid
        assert alive(pid)
    assert not alive(pid)


def test_a_lost_nursery_is_an_error_and_not_a_hang(tmp_path, capfd):
    with warm.Nursery(libraries=()) as nursery:
        assert nursery._process is not None
        nursery._process.send_signal(signal.SIGKILL)
        nursery._process.wait()
        with pytest.raises(OSError):
            nursery.run(command("return ''", tmp_path))
