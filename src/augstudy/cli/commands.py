"""Every command of the program: what its help lists, and the module that has it.

The list is all that ``augstudy --help`` needs, so it loads no command; each other call loads one.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_WHOLE, _RUNS, _STEPS = "Whole pipelines", "Runs", "Steps of a study"
_CLUSTER, _STORES = "On a cluster", "Object storage"


@dataclass(frozen=True)
class Listed:
    """A command as help lists it; `module` of :mod:`augstudy.cli` registers it."""

    module: str
    panel: str
    text: str

    def load(self, name: str) -> Any:
        """The command itself."""
        holder = typer.Typer(rich_markup_mode="rich")
        holder.callback()(lambda: None)  # with it Typer makes a group, however few there are
        importlib.import_module(f".{self.module}", __package__).register(holder)
        group: Any = typer.main.get_command(holder)
        return group.commands[name]

    def stub(self, name: str) -> TyperCommand:
        """What help shows of it."""
        return TyperCommand(name, short_help=self.text, rich_help_panel=self.panel)


COMMANDS = {
    "run": Listed(
        "pipelines",
        _WHOLE,
        "Run a pipeline on this machine, without a cluster or an account.",
    ),
    "compile": Listed(
        "pipelines", _WHOLE, "Compile a pipeline to YAML for Kubeflow Pipelines, and check it."
    ),
    "cache": Listed(
        "caches", _WHOLE, "Show how much the cache of finished steps holds, or clear it."
    ),
    "runs": Listed(
        "runs",
        _RUNS,
        "List all runs, newest first; filter, show, compare, annotate, export and delete them.",
    ),
    "compare": Listed(
        "comparing", _RUNS, "Compare arms, of one run or of several, with the first one named."
    ),
    "ui": Listed(
        "comparing",
        _RUNS,
        "Serve a web page of all runs: table, charts, learning curves, comparisons, heat maps.",
    ),
    "submit": Listed("cluster", _CLUSTER, "Run a pipeline on a cluster, once for each level."),
    "schedule": Listed(
        "cluster",
        _CLUSTER,
        "Run a pipeline regularly: schedule PIPELINE --cron '0 0 3 * * 1', schedule list, schedule "
        "delete NAME.",
    ),
    "doctor": Listed(
        "doctor",
        _CLUSTER,
        "Check that a cluster is ready for runs, and show how to fix what is not.",
    ),
    "ingest": Listed(
        "stages", _STEPS, "Read images, choose some at random and split them: source -> dataset."
    ),
    "train-judge": Listed(
        "stages",
        _STEPS,
        "Train the judge, the classifier that measures synthetic images: dataset -> judge.",
    ),
    "train-gan": Listed(
        "stages",
        _STEPS,
        "Train a generator on the training images of the level: dataset -> gan.",
    ),
    "synthesize": Listed(
        "stages",
        _STEPS,
        "Draw labelled images with a generator and measure them: gan, dataset, judge -> synthetic.",
    ),
    "curate": Listed(
        "stages",
        _STEPS,
        "Filter images by whether a classifier agrees with their labels: dataset -> curation.",
    ),
    "train-cnn": Listed(
        "stages",
        _STEPS,
        "Train one classifier per seed on the training set of an arm: dataset -> classifier.",
    ),
    "evaluate": Listed(
        "stages",
        _STEPS,
        "Evaluate classifiers on the test images: dataset, classifier -> evaluation.",
    ),
    "cam": Listed(
        "stages",
        _STEPS,
        "Show where a classifier looks (Grad-CAM): classifier, evaluation -> maps.",
    ),
    "summarize": Listed(
        "stages", _STEPS, "Compare arms and write the report: evaluations -> report."
    ),
    "champions": Listed(
        "stores", _STORES, "List the champions of a retraining, or roll back to one of them."
    ),
    "fetch": Listed(
        "stores", _STORES, "Download an artifact of a run, or a single object, and verify it."
    ),
}


class Program(TyperGroup):
    """The program's group of commands, of which it loads the one that is called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {name: found.stub(name) for name, found in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, loaded."""
        name, stub, rest = super().resolve_command(ctx, args)
        return name, COMMANDS[name].load(name) if name and stub else stub, rest
