"""The command that shows runs on a tracking server of MLflow."""

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
