"""Runs what a target of the Makefile is for, with the variables that were given to make.

    python3 scripts/from_make.py TARGET [WORD...]
    python3 scripts/from_make.py --unknown NAME

Variables come from the environment, where make puts them as they were typed: no shell and no make
expands what is in them. Words before them are those of the target. Nothing but the standard library
is needed, as this chooses the environment that the rest runs in.
"""

import difflib
import os
import re
import shlex
import sys
from pathlib import Path

GIVEN = "AUGSTUDY_MAKE_GIVEN"  # names of the variables on make's command line
STUDY = "augmentation_study"
OPTIONS = {
    "RUNS": "--runs-dir",
    "PRESET": "--preset",
    "SOURCE": "--source",
    "SYNTHETIC": "--synthetic",
    "LEVEL": "--level",
    "LEVELS": "--levels",
    "ARMS": "--arms",
    "SEEDS": "--seeds",
    "MAX_HOURS": "--max-hours",
    "NOTE": "--note",
    "GPUS": "--gpus",
    "EXPERIMENT": "--experiment",
    "CRON": "--cron",
    "KUBECONTEXT": "--context",
}
FLAGS = {"WAIT": "--wait", "CLUSTER": "--cluster"}
NEVER_EMPTY = ("LEVEL", "GPUS", "RUNS")  # there is no empty one: LEVEL= means none
WISHES = ("PIPELINE", "PRESET", "SOURCE", "SYNTHETIC", "ARMS", "SEEDS", "CLASSES", "SET")
# The commands of the program, and the variables that each of them takes.
COMMANDS = {
    "study": ("run", (*WISHES, "LEVEL", "LEVELS", "MAX_HOURS", "NOTE", "RUNS")),
    "submit": (
        "submit",
        (*WISHES, "LEVELS", "MAX_HOURS", "GPUS", "EXPERIMENT", "WAIT", "KUBECONTEXT"),
    ),
    "schedule": ("schedule", (*WISHES, "LEVEL", "GPUS", "EXPERIMENT", "CRON")),
    "doctor": ("doctor", ("KUBECONTEXT",)),
    "runs": ("runs", ("RUNS", "CLUSTER", "KUBECONTEXT", "EXPERIMENT")),
    "compile": ("compile", ("PIPELINE",)),
}
KIND = ("KUBECONTEXT", "CLUSTER", "NAMESPACE", "KFP_MANIFESTS", "GPUS", "IMAGE", "VALUES")
IMAGES = ("TARGET", "REPOSITORY", "BASE_IMAGE", "PUSH", "NETWORK", "CA_BUNDLE")
OTHERS = {
    "results": ("PRESET", "RUNS"),
    "test": ("PYTEST",),
    "test-chart": ("PYTEST", "TOOLS"),
    "test-ui": ("PYTEST",),
    "images": (*IMAGES, "PIP_INDEX_URL", "PIP_TRUSTED_HOST"),
    "kind-up": (*KIND, "UI_PORT", "STORE_PORT", "TOOLS"),
    "kind-down": (*KIND, "UI_PORT", "STORE_PORT", "TOOLS"),
}
EVERYWHERE = ("PYTHON", "VENV")
# Settings of the program, of libraries and of pip may be given to make as well.
PASSED_ON = ("AUGSTUDY_", "AWS_", "GOOGLE_", "PIP_")
KNOWN = sorted({*EVERYWHERE}.union(*(names for _, names in COMMANDS.values()), *OTHERS.values()))


def main(target: str, *words: str) -> None:
    """Become the program that a target is for; the exit code 2 means wrong variables."""
    if target == "--unknown":
        sys.stdout.write(unknown(words[0]))
        return
    try:
        check(target)
        command = _command(target, list(words))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    os.execv(command[0], command)  # noqa: S606 (no shell is the point)


def unknown(name: str) -> str:
    """Say that there is no such variable, and which it may have been meant to be."""
    near = difflib.get_close_matches(name.upper(), KNOWN, n=3, cutoff=0.6)
    meant = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(KNOWN)}."
    return f"There is no variable {name}; {meant}"


def check(target: str) -> None:
    """Refuse variables on make's command line that a target does not take.

    Raises:
        ValueError: there is one.
    """
    takes = COMMANDS[target][1] if target in COMMANDS else OTHERS[target]
    for name in os.environ.get(GIVEN, "").split():
        if name not in (*takes, *EVERYWHERE) and not name.startswith(PASSED_ON):
            shown = ", ".join(sorted(takes))
            raise ValueError(f"'make {target}' does not take {name}; it takes: {shown}.")


def options(target: str) -> list[str]:
    """The words after ``augstudy`` for a target.

    Raises:
        ValueError: a variable that says yes or no says something else.
    """
    command, names = COMMANDS[target]
    words = [command]
    for name in names:
        value = _value(name)
        if value is None or (not value and name in NEVER_EMPTY):
            continue
        if name in OPTIONS:
            words.append(f"{OPTIONS[name]}={value}")
        elif name in FLAGS:
            words += [FLAGS[name]] * yes(name, value)
        elif name == "CLASSES":
            words.append(f"--set=classes={value}")
        elif name == "SET":
            words += [f"--set={item}" for item in assignments(value)]
    if target == "compile":
        words += ["-o", f"build/{Path(_pipeline()).name}.yaml"]
    # Behind --, a name that begins with a dash is one all the same.
    return [*words, "--", _pipeline()] if "PIPELINE" in names else words


def assignments(text: str) -> list[str]:
    """The settings in ``a=1 b.c=two words d=[x, y]``: one begins at each ``name=`` behind a blank.

    A value in quotes or brackets goes on to their end, whatever is in them.
    """
    found: list[str] = []
    for part in re.split(r"\s+(?=[A-Za-z_][\w.-]*=)", text.strip()):
        if found and _open(found[-1].partition("=")[2]):
            found[-1] += f" {part}"
        elif part:
            found.append(part)
    return found


def yes(name: str, value: str) -> bool:
    """Whether a variable says yes.

    Raises:
        ValueError: it says neither yes nor no.
    """
    said = value.strip().lower()
    if said in ("1", "yes", "true", "on", "y"):
        return True
    if said in ("", "0", "no", "false", "off", "n"):
        return False
    raise ValueError(f"{name} is {value!r}: it must be 1 or 0.")


def _command(target: str, words: list[str]) -> list[str]:
    """What to run: a program and its words."""
    programs = Path(os.environ.get("VENV") or ".venv").absolute() / "bin"
    python = str(programs / "python")
    if target in COMMANDS:
        return [str(programs / "augstudy"), *options(target)]
    if target == "results":
        runs = ["--runs-dir", _value("RUNS") or "runs"]
        return [python, "scripts/make_results.py", *runs, "--", _value("PRESET") or "quick"]
    if target.startswith("test"):
        return [python, "-m", "pytest", *words, *shlex.split(_value("PYTEST") or "")]
    if "PUSH" in OTHERS[target]:
        os.environ["PUSH"] = "1" if yes("PUSH", _value("PUSH") or "") else ""
    return words


def _value(name: str) -> "str | None":
    """A variable; None if it was not given, which an empty one in the environment is not, either.

    By default the study's preset is quick for the embedded sample, and photos for other images.
    """
    given = name in os.environ.get(GIVEN, "").split()
    value = os.environ.get(name)
    if value or given:
        return value or ""
    if name != "PRESET" or _pipeline() != STUDY:
        return None
    return "quick" if (_value("SOURCE") or "sample") == "sample" else "photos"


def _pipeline() -> str:
    return os.environ.get("PIPELINE") or STUDY


def _open(value: str) -> bool:
    """Whether a value begins with a quote or a bracket that is not closed in it."""
    quote = value[:1]
    if quote in ("'", '"'):
        return not re.fullmatch(rf"{quote}.*{quote}\s*", value, re.DOTALL) or value == quote
    if quote in ("[", "{"):
        return sum(map(value.count, "[{")) > sum(map(value.count, "]}"))
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])
