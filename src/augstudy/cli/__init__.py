"""The command line: one module per group of commands; :mod:`augstudy.cli.app` joins them."""


def main() -> None:
    """Run the program and end with the exit code of what went wrong."""
    import sys

    try:
        from augstudy.cli.app import main as run

        run()
    except KeyboardInterrupt:  # while it was still being loaded
        sys.exit(130)
