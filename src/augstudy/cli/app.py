"""The ``augstudy`` program: would synthetic images help my classifier?"""

import logging
import os
import shlex
import sys
import traceback
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from augstudy import __version__
from augstudy.cli.commands import Program
from augstudy.core import outlets
from augstudy.core.errors import AugstudyError, of_system
from augstudy.core.files import open_log, user_folder
from augstudy.core.redaction import conceal_options, without_secret_options, without_secrets

DEBUG_VARIABLE = "AUGSTUDY_DEBUG"
LOG_VARIABLE = "AUGSTUDY_LOG"

app = typer.Typer(
    name="augstudy",
    cls=Program,
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
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Would synthetic images help my classifier, how much, and how sure are we?

    Start with 'augstudy run --preset quick': it needs no data, no account and no cluster.

    Exit codes: 0 success, 1 a bug, 2 bad input, 3 a service is unreachable, 4 data is damaged, 5 a
    training failed.
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


def main() -> None:
    """Run the program and end with the exit code of what went wrong."""
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Run the program with `arguments`; errors become a sentence and an exit code.

    Bytes in them that are not text are replaced: nobody could type them again.
    """
    words = [
        word.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for word in arguments
    ]
    conceal_options(words)
    with outlets.guarded():
        return _invoke(words)


def _invoke(arguments: list[str]) -> int:
    from augstudy.core.stopping import Interrupted

    try:
        app(args=arguments, prog_name="augstudy")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except Interrupted as stop:
        _say("Interrupted; all steps have ended.", f"Log: {stop.log}" if stop.log else "")
        return 128 + stop.signal
    except AugstudyError as error:
        return _known(error, arguments)
    except KeyboardInterrupt:
        _say("Interrupted.")
        return 130
    except Exception as error:
        found = of_system(error)
        return _known(found, arguments) if found else _bug(error, arguments)
    return 0


def _known(error: AugstudyError, arguments: list[str]) -> int:
    trace = getattr(error, "traceback", "")
    if trace:
        outlets.console(stderr=True).print(Text(trace, style="dim"), soft_wrap=True)
    log = getattr(error, "log", None) or _write_log(arguments)
    _say(str(error), f"Log: {log}" if trace or hasattr(error, "log") else "")
    if os.environ.get(DEBUG_VARIABLE):
        sys.stderr.write(traceback.format_exc())
    return error.exit_code


def _bug(error: Exception, arguments: list[str]) -> int:
    log = _write_log(arguments)
    _say(
        f"This is a bug in augstudy: {type(error).__name__}: {error}",
        f"The traceback is in {log}." if log else "",
    )
    if os.environ.get(DEBUG_VARIABLE) or log is None:
        sys.stderr.write(traceback.format_exc())
    return 1


def _say(sentence: str, more: str = "") -> None:
    console = outlets.console(stderr=True)
    console.print(Text(sentence, style="bold red"), soft_wrap=True)
    if more:
        console.print(Text(more), soft_wrap=True)


def _write_log(arguments: list[str]) -> Path | None:
    """Append the current traceback to the program's log; None if that is impossible.

    The log is for its owner alone, and shows the command without the secrets in it.
    """
    moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
    asked = shlex.join(["augstudy", *without_secret_options(arguments)])
    entry = f"{moment} {asked}\n{traceback.format_exc()}\n"
    folder, named = user_folder("XDG_STATE_HOME", "~/.local/state"), os.environ.get(LOG_VARIABLE)
    if not named and folder is None:
        return None
    path = Path(named or f"{folder}/augstudy.log")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_log(path, "a") as stream:
            stream.write(outlets.printable(without_secrets(entry)))
    except OSError:
        return None
    return path
