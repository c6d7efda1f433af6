"""Commands that show runs in other tools: on a server of MLflow, and in TensorBoard."""

from pathlib import Path
from typing import Annotated

import typer

from augstudy.cli import options, remote
from augstudy.cli.records import RUNS, StoreUri, book


def track(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Numbers or names of runs.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            envvar="MLFLOW_TRACKING_URI",
            help="Address of the MLflow server, such as http://localhost:5000.",
        ),
    ] = "",
    experiment: Annotated[
        str,
        typer.Option(
            help="Experiment of the runs; made if there is none (default: "
            "MLFLOW_EXPERIMENT_NAME, else augstudy)."
        ),
    ] = "",
    models: Annotated[
        bool, typer.Option("--models", help="Also send the classifiers of every arm.")
    ] = False,
    runs_dir: options.RunsDir = RUNS,
    store: StoreUri = "",
) -> None:
    """Show finished runs on an MLflow server: settings, metrics, learning curves and report.

    Each run becomes one there, with a nested run for each of its arms. A run that is there already
    is brought up to date. If the server wants a login, set MLFLOW_TRACKING_USERNAME and
    MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.

    For example:

    augstudy runs track 7 9 --to http://localhost:5000

    augstudy runs track 7 --experiment mammals --models
    """
    from augstudy.runs import tracking
    from augstudy.runs.choosing import find
    from augstudy.runs.mlflow_api import Server
    from augstudy.runs.shelf import of_store

    server, kept = Server(to), book(runs_dir, store)
    records = kept.records()
    for record in [find(records, name) for name in runs]:
        link = tracking.track(record, of_store(kept.store)(record), server, experiment, models)
        remote.plain_console().print(f"Run {record['id']}: {link}", soft_wrap=True, markup=False)


def tensorboard(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Numbers or names of runs.")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder to write; what else is in it stays.")
    ] = Path("tensorboard"),
    runs_dir: options.RunsDir = RUNS,
    store: StoreUri = "",
) -> None:
    """Write the histories of all trainings of runs as event files, for TensorBoard.

    Every training gets a folder: those of classifiers by arm and seed, those of generators by the
    name of their set. Settings are with them, as texts. Writing a run again changes nothing.

    For example:

    augstudy runs tensorboard 7 9

    tensorboard --logdir tensorboard
    """
    from augstudy.core.files import check_place
    from augstudy.runs.choosing import find
    from augstudy.runs.shelf import of_store
    from augstudy.runs.tensorboard import write

    check_place(out, "folder")
    kept = book(runs_dir, store)
    records = kept.records()
    console = remote.plain_console()
    for record in [find(records, name) for name in runs]:
        count = write(record, of_store(kept.store)(record), out)
        trainings = "1 training" if count == 1 else f"{count} trainings"
        text = f"Run {record['id']}: {trainings} in {out}."
        console.print(text, soft_wrap=True, markup=False)
