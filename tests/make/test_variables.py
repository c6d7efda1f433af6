"""What is given to make arrives as it was typed, runs nothing, and is refused where it is wrong."""

import runpy
import sys

import pytest
from checkout import ROOT, Checkout

FROM_MAKE = runpy.run_path(str(ROOT / "scripts" / "from_make.py"))
HOSTILE = (
    "$(shell touch canary)`touch canary`$$(touch canary)${shell touch canary}$(file >canary)",
    "x'; touch canary; '",
    'x"; touch canary; "',
    "x; touch canary #\ntouch canary",
    "--help",
)
TARGETS = {
    "study": ["RUNS", "PIPELINE", "PRESET", "SOURCE", "ARMS", "SEEDS", "CLASSES", "SET", "NOTE"],
    "submit": ["PIPELINE", "GPUS", "EXPERIMENT", "LEVELS"],
    "schedule": ["PIPELINE", "LEVEL", "CRON"],
    "doctor": ["KUBECONTEXT"],
    "runs": ["RUNS"],
}


@pytest.mark.parametrize(
    ("target", "value"),
    [*(("study", value) for value in HOSTILE), *((target, HOSTILE[0]) for target in TARGETS)],
)
def test_values_arrive_as_they_were_typed(checkout: Checkout, target: str, value: str) -> None:
    names = TARGETS[target]
    typed = checkout.asked(target, *(f"{name}={value}" for name in names))
    exported = checkout.asked(target, **dict.fromkeys(names, value))
    for asked in (typed, exported):
        arrived = [word for word in asked if word == value or word.endswith(f"={value}")]
        assert len(arrived) == len(names), asked
    assert not list(checkout.path.rglob("canary"))


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("study", "VENV"),
        ("study", "PYTHON"),
        ("compile", "PIPELINE"),
        ("results", "PRESET"),
        ("test", "PYTEST"),
        ("images", "TARGET"),
        ("kind-up", "CLUSTER"),
        ("clean", "VENV"),
        ("submit", "WAIT"),
        ("help", "NOTE"),
    ],
)
def test_no_variable_runs_what_is_in_it(checkout: Checkout, target: str, name: str) -> None:
    python = checkout.path / "python"
    # One that makes no environments: only what make does with the variables is asked for here.
    python.write_text(f"""#!{sys.executable}
import os, sys
if "venv" in sys.argv:
    sys.exit(1)
os.execv({sys.executable!r}, [{str(python)!r}, *sys.argv[1:]])
""")
    python.chmod(0o755)
    for value in HOSTILE:
        given = {"PYTHON": str(python), name: value}
        checkout.make(target, *(f"{key}={value}" for key, value in given.items()))
        assert not list(checkout.path.rglob("canary")), value
    checkout.make(target, **{"PYTHON": str(python), name: HOSTILE[0]})
    assert not list(checkout.path.rglob("canary"))


def test_dollars_stay(checkout: Checkout) -> None:
    assert "--note=costs $5, or $$6" in checkout.asked("study", "NOTE=costs $5, or $$6")
    assert "--note=costs $5" in checkout.asked("study", NOTE="costs $5")


@pytest.mark.parametrize(
    ("typed", "settings"),
    [
        ("a=1 b.c=2", ["a=1", "b.c=2"]),
        ("classes=The Eiffel Tower,cat gan=report", ["classes=The Eiffel Tower,cat", "gan=report"]),
        ("classes=[cat, The Eiffel Tower] a=1", ["classes=[cat, The Eiffel Tower]", "a=1"]),
        ('note="one a=2 three" b=1', ['note="one a=2 three"', "b=1"]),
        ("x={a: 1, b: {c: 2}} y=2", ["x={a: 1, b: {c: 2}}", "y=2"]),
        ("  a=1\n  b=2  ", ["a=1", "b=2"]),
        ("classes=Don't,The Mona Lisa a=1", ["classes=Don't,The Mona Lisa", "a=1"]),
        ("nonsense", ["nonsense"]),
        ("", []),
    ],
)
def test_settings_end_where_the_next_begins(
    checkout: Checkout, typed: str, settings: list[str]
) -> None:
    asked = checkout.asked("study", f"SET={typed}")
    assert [word for word in asked if word.startswith("--set")] == [
        f"--set={item}" for item in settings
    ]


def test_what_people_type(checkout: Checkout) -> None:
    asked = checkout.asked("study", "PRESET=low_data", "SET=a=1 b.c=2", "ARMS=real,add:1")
    assert asked == [
        "run",
        "--preset=low_data",
        "--arms=real,add:1",
        "--set=a=1",
        "--set=b.c=2",
        "--",
        "augmentation_study",
    ]
    asked = checkout.asked("submit", "PIPELINE=augmentation_study", "LEVELS=20 40", "WAIT=1")
    assert asked == [
        "submit",
        "--preset=quick",
        "--levels=20 40",
        "--wait",
        "--",
        "augmentation_study",
    ]
    asked = checkout.asked("schedule", "PIPELINE=retrain", "CRON=0 0 3 * * 1")
    assert asked == ["schedule", "--cron=0 0 3 * * 1", "--", "retrain"]
    assert checkout.asked("runs", "CLUSTER=1") == ["runs", "--cluster"]
    asked = checkout.asked("compile", "PIPELINE=retrain")
    assert asked == ["compile", "-o", "build/retrain.yaml", "--", "retrain"]
    asked = checkout.asked("test", "PYTEST=-k 'one or two' -x")
    assert asked[-3:] == ["-k", "one or two", "-x"]


@pytest.mark.parametrize(
    ("source", "preset"), [("photos/", "photos"), ("sample", "quick"), ("", "quick")]
)
def test_the_preset_suits_the_source(checkout: Checkout, source: str, preset: str) -> None:
    assert f"--preset={preset}" in checkout.asked("study", f"SOURCE={source}")
    assert "--preset=low_data" in checkout.asked("study", f"SOURCE={source}", "PRESET=low_data")
    assert not any("--preset" in word for word in checkout.asked("study", "PIPELINE=cnn_tuning"))


@pytest.mark.parametrize("no", ["0", "no", "false", "off", "NO", ""])
def test_what_says_no_means_no(checkout: Checkout, no: str) -> None:
    assert "--wait" not in checkout.asked("submit", f"WAIT={no}")
    assert "--cluster" not in checkout.asked("runs", f"CLUSTER={no}")
    (call,) = checkout.called("images", f"PUSH={no}")
    assert call["environment"]["PUSH"] == ""


def test_what_says_neither_yes_nor_no_is_refused(checkout: Checkout) -> None:
    done = checkout.make("submit", "WAIT=maybe")
    assert done.returncode == 2
    assert "WAIT is 'maybe': it must be 1 or 0." in done.stderr


def test_an_empty_value_is_one_if_it_was_typed(checkout: Checkout) -> None:
    """What comes from the preset can be emptied; an empty variable of the shell is none."""
    asked = checkout.asked("study", "ARMS=", "PRESET=", "LEVEL=", "RUNS=")
    assert "--arms=" in asked and "--preset=" in asked
    assert not any(word.startswith(("--level=", "--runs-dir=")) for word in asked)
    asked = checkout.asked("study", ARMS="", PRESET="")
    assert asked == ["run", "--preset=quick", "--", "augmentation_study"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("PRESETS=smoke", "PRESET"),
        ("preset=smoke", "PRESET"),
        ("LEVLES=1", "LEVELS"),
        ("SEED=1", "SEEDS"),
        ("CLASS=cat,dog", "CLASSES"),
        ("PRESETS:=smoke", "PRESET"),
        ("RUN+=x", "RUNS"),
        ("PIP=x", "PIPELINE"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest(
    checkout: Checkout, typed: str, meant: str
) -> None:
    for target in ("study", "clean"):
        done = checkout.make(target, typed)
        assert done.returncode == 2
        assert "There is no variable" in done.stderr
        assert meant in done.stderr
    assert not checkout.notes.exists()
    assert (checkout.path / ".venv").is_dir()


def test_a_variable_of_other_targets_is_refused(checkout: Checkout) -> None:
    done = checkout.make("schedule", "LEVELS=20 40", "CRON=0 0 3 * * 1")
    assert done.returncode == 2
    assert "'make schedule' does not take LEVELS; it takes:" in done.stderr
    assert not checkout.notes.exists()


def test_settings_of_programs_are_passed_on(checkout: Checkout) -> None:
    assert checkout.asked("submit", "AUGSTUDY_KFP_HOST=http://localhost:8080", "AWS_PROFILE=x")


def test_every_variable_is_known_to_make_and_told_by_its_help(checkout: Checkout) -> None:
    told = checkout.make("help").stdout
    by_scripts = {*FROM_MAKE["KIND"], *FROM_MAKE["IMAGES"], "UI_PORT", "STORE_PORT", "TOOLS"}
    by_scripts |= {"PIP_INDEX_URL", "PIP_TRUSTED_HOST"}
    for name in FROM_MAKE["KNOWN"]:
        assert name in told or name in by_scripts
    assert checkout.make("help", *(f"{name}=x" for name in FROM_MAKE["KNOWN"])).returncode == 0
