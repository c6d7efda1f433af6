"""The ``augstudy`` program: would synthetic images help my classifier?"""

import logging
import os
import sys
import traceback
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from augstudy import __version__
from augstudy.cli import caches, cluster, comparing, doctor, pipelines, runs, stages, stores
from augstudy.core.errors import AugstudyError
from augstudy.core.redaction import without_secrets

DEBUG_VARIABLE = "AUGSTUDY_DEBUG"
LOG_VARIABLE = "AUGSTUDY_LOG"

app = typer.Typer(
    name="augstudy",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"augstudy {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show tracebacks and debug messages.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="And exit.")
    ] = False,
) -> None:
    """Would synthetic images help my classifier, how much, and how sure are we?

    Start with 'augstudy run --preset quick': it needs no data, no account and no cluster.

    Exit codes: 0 all is well, 1 a bug, 2 bad input, 3 a service is missing, 4 data is damaged.
    """
    if verbose:
        os.environ[DEBUG_VARIABLE] = "1"
    logging.basicConfig(
        stream=sys.stderr,
        format="%(message)s",
        level=logging.DEBUG if verbose else logging.WARNING,
    )
    logging.getLogger("augstudy").setLevel(logging.DEBUG if verbose else logging.INFO)
    if not verbose:
        # Libraries talk at INFO; ours is what a person wants to read.
        logging.getLogger().setLevel(logging.WARNING)


pipelines.register(app)
runs.register(app)
comparing.register(app)
cluster.register(app)
stages.register(app)
stores.register(app)
caches.register(app)
doctor.register(app)


def main() -> None:
    """Run the program and end with the exit code of what went wrong."""
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Run the program with `arguments`; errors become a sentence and an exit code."""
    from augstudy.core.stopping import Interrupted

    try:
        app(args=arguments, prog_name="augstudy")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except Interrupted as stop:
        _say("Interrupted; all steps were ended.", f"Log: {stop.log}" if stop.log else "")
        return 128 + stop.signal
    except AugstudyError as error:
        return _known(error)
    except Exception as error:
        return _bug(error)
    return 0


def _known(error: AugstudyError) -> int:
    trace = getattr(error, "traceback", "")
    if trace:
        Console(stderr=True).print(Text(without_secrets(trace), style="dim"), soft_wrap=True)
    log = getattr(error, "log", None) or _write_log()
    _say(str(error), f"Log: {log}" if trace or hasattr(error, "log") else "")
    if os.environ.get(DEBUG_VARIABLE):
        sys.stderr.write(without_secrets(traceback.format_exc()))
    return error.exit_code


def _bug(error: Exception) -> int:
    log = _write_log()
    _say(
        f"This is a bug in augstudy: {type(error).__name__}: {error}",
        f"The traceback is in {log}." if log else "",
    )
    if os.environ.get(DEBUG_VARIABLE) or log is None:
        sys.stderr.write(without_secrets(traceback.format_exc()))
    return 1


def _say(sentence: str, more: str = "") -> None:
    console = Console(stderr=True)
    console.print(Text(without_secrets(sentence), style="bold red"), soft_wrap=True)
    if more:
        console.print(Text(more), soft_wrap=True)


def _write_log() -> Path | None:
    """Append the current traceback to the program's log; None if that is impossible."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    default = Path(state).expanduser() / "augstudy" / "augstudy.log"
    path = Path(os.environ.get(LOG_VARIABLE) or default)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as stream:
            moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
            entry = f"{moment} {' '.join(sys.argv)}\n{traceback.format_exc()}\n"
            stream.write(without_secrets(entry))
    except OSError:
        return None
    return path
