"""The list of commands that help shows is that of the commands there are."""

import importlib
import pkgutil
from typing import Any

import pytest
import typer

from augstudy import cli
from augstudy.cli.commands import COMMANDS


def registered() -> dict[str, tuple[str, Any]]:
    found = {}
    for module in pkgutil.iter_modules(cli.__path__):
        if module.name == "__main__":
            continue
        loaded = importlib.import_module(f"augstudy.cli.{module.name}")
        if hasattr(loaded, "register"):
            app = typer.Typer()
            app.callback()(lambda: None)
            loaded.register(app)
            group: Any = typer.main.get_command(app)
            found |= {name: (module.name, command) for name, command in group.commands.items()}
    return found


def test_every_command_is_listed_once() -> None:
    assert set(registered()) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_a_command_as_its_module_registers_it(name: str) -> None:
    module, command = registered()[name]
    listed = COMMANDS[name]
    assert (listed.module, listed.panel) == (module, command.rich_help_panel)
    assert listed.text == command.short_help
    assert type(listed.load(name)) is type(command)


def test_a_command_that_does_not_exist_gets_the_nearest_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from augstudy.cli.app import invoke

    assert invoke(["comparr"]) == 2
    assert "compare" in capsys.readouterr().err
